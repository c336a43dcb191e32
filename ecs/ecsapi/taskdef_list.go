package ecsapi

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListTaskDefinitions lists revisions of a status (ACTIVE unless told), of all
// families or of one, by family and then by number.
func (a *API) ListTaskDefinitions(ctx context.Context, c wire.Call, in *shape.ListTaskDefinitionsRequest) (*shape.ListTaskDefinitionsResponse, error) {
	h := home(c)
	status := aws.Val(in.Status)
	if status == "" {
		status = shape.TaskDefinitionStatusActive
	}
	prefix := tables.At(h).Prefix()
	if family := aws.Val(in.FamilyPrefix); family != "" {
		if !request.ValidName.MatchString(family) {
			return nil, request.Invalid("Invalid familyPrefix: '%s' is not the name of a family.", family)
		}
		prefix = tables.At(h).Prefix(family)
	}
	p := page(c, slice{in.NextToken, in.MaxResults, 100}, prefix, status, aws.Val(in.Sort))
	p.Descending = aws.Val(in.Sort) == shape.SortOrderDesc
	out := &shape.ListTaskDefinitionsResponse{}
	err := a.view(ctx, func(tx store.Tx) (err error) {
		out.TaskDefinitionArns, out.NextToken, err = paged(p, func(after string) iter.Seq2[string, string] {
			if p.Descending {
				return backwards(revisions(tx, prefix, "", status))
			}
			return revisions(tx, prefix, after, status)
		})
		return err
	})
	return out, err
}

func revisions(tx store.Tx, prefix, after, status string) iter.Seq2[string, string] {
	return arns(tables.TaskDefinitions.List(tx, prefix, after), func(_ string, d *ecs.TaskDefinition) bool {
		return aws.Val(d.Document.Status) == status && !launch.Hidden(d.Family)
	})
}

// backwards turns a list around.
func backwards(items iter.Seq2[string, string]) iter.Seq2[string, string] {
	type item struct{ key, value string }
	var all []item
	for k, v := range items {
		all = append(all, item{k, v})
	}
	return func(yield func(string, string) bool) {
		for _, i := range slices.Backward(all) {
			if !yield(i.key, i.value) {
				return
			}
		}
	}
}

// ListTaskDefinitionFamilies lists the names of families: those with an ACTIVE
// revision, those without, or all (unless told).
func (a *API) ListTaskDefinitionFamilies(ctx context.Context, c wire.Call, in *shape.ListTaskDefinitionFamiliesRequest) (*shape.ListTaskDefinitionFamiliesResponse, error) {
	h := home(c)
	p := page(c, slice{in.NextToken, in.MaxResults, 100}, dereferenced(in.FamilyPrefix, in.Status))
	out := &shape.ListTaskDefinitionFamiliesResponse{}
	err := a.view(ctx, func(tx store.Tx) (err error) {
		listed := func(yield func(string, string) bool) {
			for key, f := range tables.Families.List(tx, tables.At(h).Prefix(), "") {
				if strings.HasPrefix(f.Name, aws.Val(in.FamilyPrefix)) && familyIs(tx, f, aws.Val(in.Status)) && !yield(key, f.Name) {
					return
				}
			}
		}
		out.Families, out.NextToken, err = wire.Page(p, listed)
		return err
	})
	return out, err
}

// familyIs says whether a family has a status. A family whose revisions are all
// deleted has none.
func familyIs(tx store.Tx, f *ecs.Family, status string) bool {
	if f.Active > 0 {
		return status != shape.TaskDefinitionFamilyStatusInactive
	}
	if status == shape.TaskDefinitionFamilyStatusActive {
		return false
	}
	for range tables.TaskDefinitions.List(tx, tables.At(f.Home).Prefix(f.Name), "") {
		return true
	}
	return false
}
