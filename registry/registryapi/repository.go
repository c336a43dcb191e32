package registryapi

import (
	"context"
	"iter"
	"strings"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// CreateRepository makes a repository.
func (a *API) CreateRepository(ctx context.Context, c wire.Call, in *shape.CreateRepositoryRequest) (*shape.CreateRepositoryResponse, error) {
	name := aws.Val(in.RepositoryName)
	h, err := home(c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !registry.ValidName(name) {
		return nil, badName(name)
	}
	mutability := aws.Val(in.ImageTagMutability)
	if mutability == "" {
		mutability = shape.ImageTagMutabilityMutable
	}
	exclusions, err := registry.CheckMutability(mutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var r *registry.Repository
	err = a.store.Update(ctx, func(tx store.Tx) error {
		if _, taken := tables.Repositories.Get(tx, tables.RepositoryKey(h, name)); taken {
			return h.RepositoryExists(name)
		}
		r = &registry.Repository{Home: h, Name: name, ID: tx.NewID(), CreatedAt: tx.Now(), Mutability: mutability, Exclusions: exclusions, Tags: tags}
		tables.Repositories.Put(tx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateRepositoryResponse{Repository: r.Render()}, nil
}

// DescribeRepositories answers repositories by name, or a page of all.
func (a *API) DescribeRepositories(ctx context.Context, c wire.Call, in *shape.DescribeRepositoriesRequest) (*shape.DescribeRepositoriesResponse, error) {
	h, err := home(c, in.RegistryId, aws.Ptr("*"))
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeRepositoriesResponse{Repositories: []shape.Repository{}}
	if len(in.RepositoryNames) > 0 {
		if in.NextToken != nil || in.MaxResults != nil {
			return nil, registry.Invalid("repositoryNames", "nextToken and maxResults cannot be given with repositoryNames")
		}
		for _, name := range in.RepositoryNames {
			r, err := a.repository(ctx, c, in.RegistryId, &name)
			if err != nil {
				return nil, err
			}
			out.Repositories = append(out.Repositories, *r.Render())
		}
		return out, nil
	}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		all := tables.Repositories.List(tx, tables.At(h).Prefix(), "")
		rows, next, err := wire.Page(page(in.NextToken, in.MaxResults, "DescribeRepositories", h), rendered(all))
		out.Repositories, out.NextToken = rows, next
		return err
	})
	return out, err
}

func rendered(all iter.Seq2[string, *registry.Repository]) iter.Seq2[string, shape.Repository] {
	return func(yield func(string, shape.Repository) bool) {
		for k, r := range all {
			if !yield(k, *r.Render()) {
				return
			}
		}
	}
}

// DeleteRepository deletes a repository, with its images if force says so.
func (a *API) DeleteRepository(ctx context.Context, c wire.Call, in *shape.DeleteRepositoryRequest) (*shape.DeleteRepositoryResponse, error) {
	h, err := home(c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if !registry.ValidName(aws.Val(in.RepositoryName)) {
		return nil, badName(aws.Val(in.RepositoryName))
	}
	var r *registry.Repository
	err = a.store.Update(ctx, func(tx store.Tx) (err error) {
		r, err = tables.DeleteRepository(tx, h, aws.Val(in.RepositoryName), aws.Val(in.Force))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteRepositoryResponse{Repository: r.Render()}, nil
}

// change writes a changed copy of a repository.
func (a *API) change(ctx context.Context, r *registry.Repository, fn func(next *registry.Repository) error) (now *registry.Repository, err error) {
	err = a.store.Update(ctx, func(tx store.Tx) error {
		was, err := tables.Repository(tx, r.Home, r.Name)
		if err != nil {
			return err
		}
		next := *was
		if err := fn(&next); err != nil {
			return err
		}
		now = &next
		tables.Repositories.Put(tx, now)
		return nil
	})
	return now, err
}

// PutImageTagMutability says whether tags can be moved.
func (a *API) PutImageTagMutability(ctx context.Context, c wire.Call, in *shape.PutImageTagMutabilityRequest) (*shape.PutImageTagMutabilityResponse, error) {
	exclusions, err := registry.CheckMutability(aws.Val(in.ImageTagMutability), in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	r, err = a.change(ctx, r, func(next *registry.Repository) error {
		next.Mutability, next.Exclusions = aws.Val(in.ImageTagMutability), exclusions
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.PutImageTagMutabilityResponse{ImageTagMutability: &r.Mutability, ImageTagMutabilityExclusionFilters: r.Filters(),
		RegistryId: &r.Account, RepositoryName: &r.Name}, nil
}

// PutImageScanningConfiguration can only say that nothing is scanned: anything else is refused before.
func (a *API) PutImageScanningConfiguration(ctx context.Context, c wire.Call, in *shape.PutImageScanningConfigurationRequest) (*shape.PutImageScanningConfigurationResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return &shape.PutImageScanningConfigurationResponse{RegistryId: &r.Account, RepositoryName: &r.Name,
		ImageScanningConfiguration: &shape.ImageScanningConfiguration{ScanOnPush: aws.Ptr(false)}}, nil
}

// DescribeRegistry answers the caller's registry; nothing is replicated.
func (a *API) DescribeRegistry(_ context.Context, c wire.Call, _ *shape.DescribeRegistryRequest) (*shape.DescribeRegistryResponse, error) {
	return &shape.DescribeRegistryResponse{RegistryId: &c.Account,
		ReplicationConfiguration: &shape.ReplicationConfiguration{Rules: []shape.ReplicationRule{}}}, nil
}

// SetRepositoryPolicy keeps a policy. Nothing asks it yet: only an account's root may use a registry, and it may everything.
func (a *API) SetRepositoryPolicy(ctx context.Context, c wire.Call, in *shape.SetRepositoryPolicyRequest) (*shape.SetRepositoryPolicyResponse, error) {
	if err := checkPolicy(aws.Val(in.PolicyText)); err != nil {
		return nil, err
	}
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	r, err = a.change(ctx, r, func(next *registry.Repository) error { next.Policy = aws.Val(in.PolicyText); return nil })
	if err != nil {
		return nil, err
	}
	return &shape.SetRepositoryPolicyResponse{PolicyText: &r.Policy, RegistryId: &r.Account, RepositoryName: &r.Name}, nil
}

// GetRepositoryPolicy answers the policy that was set.
func (a *API) GetRepositoryPolicy(ctx context.Context, c wire.Call, in *shape.GetRepositoryPolicyRequest) (*shape.GetRepositoryPolicyResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Policy == "" {
		return nil, r.NoPolicy()
	}
	return &shape.GetRepositoryPolicyResponse{PolicyText: &r.Policy, RegistryId: &r.Account, RepositoryName: &r.Name}, nil
}

// DeleteRepositoryPolicy forgets the policy.
func (a *API) DeleteRepositoryPolicy(ctx context.Context, c wire.Call, in *shape.DeleteRepositoryPolicyRequest) (*shape.DeleteRepositoryPolicyResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var was string
	r, err = a.change(ctx, r, func(next *registry.Repository) error {
		if next.Policy == "" {
			return next.NoPolicy()
		}
		was, next.Policy = next.Policy, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.DeleteRepositoryPolicyResponse{PolicyText: &was, RegistryId: &r.Account, RepositoryName: &r.Name}, nil
}

func checkPolicy(text string) error {
	var doc struct{ Statement any }
	if err := unmarshal(text, &doc); err != nil || doc.Statement == nil || strings.TrimSpace(text) == "" {
		return &aws.Error{Code: shape.CodeInvalidParameterException,
			Message: "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"}
	}
	return nil
}
