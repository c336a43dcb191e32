package ecsapi

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ListServiceDeployments lists what a service was told to become, newest first, 20 at a time unless told.
func (a *API) ListServiceDeployments(ctx context.Context, c wire.Call, in *shape.ListServiceDeploymentsRequest) (*shape.ListServiceDeploymentsResponse, error) {
	f, err := readHistoryFilter(in)
	if err != nil {
		return nil, err
	}
	most := in.MaxResults
	if most == nil {
		most = aws.Ptr(int32(20))
	}
	out := &shape.ListServiceDeploymentsResponse{ServiceDeployments: []shape.ServiceDeploymentBrief{}}
	err = a.view(ctx, func(tx store.Tx) error {
		k, err := cluster(tx, home(c), in.Cluster)
		if err != nil {
			return err
		}
		name, err := request.MemberID(k.Home, k.Name, "service", aws.Val(in.Service))
		if err != nil {
			return err
		}
		s, ok := tables.Services.Peek(tx, tables.MemberKey(k.Home, k.Name, name))
		if !ok {
			return errServiceNotFound
		}
		out.ServiceDeployments, out.NextToken, err = paged(page(c, slice{in.NextToken, most, 100}, k.Name, name, f), func(after string) iter.Seq2[string, shape.ServiceDeploymentBrief] {
			return f.list(tx, s, after)
		})
		return err
	})
	return out, err
}

// historyFilter is what selects service deployments; exported fields are hashed into page tokens.
type historyFilter struct {
	Statuses      []string
	After, Before time.Time
}

func readHistoryFilter(in *shape.ListServiceDeploymentsRequest) (historyFilter, error) {
	f := historyFilter{Statuses: slices.Sorted(slices.Values(in.Status))}
	if w := in.CreatedAt; w != nil {
		if w.After != nil {
			f.After = w.After.UTC()
		}
		if w.Before != nil {
			f.Before = w.Before.UTC()
		}
	}
	if !f.Before.IsZero() && f.Before.Before(f.After) {
		return f, request.Invalid("createdAt.before must not be earlier than createdAt.after.")
	}
	return f, nil
}

func (f historyFilter) list(tx store.Tx, s *ecs.Service, after string) iter.Seq2[string, shape.ServiceDeploymentBrief] {
	return func(yield func(string, shape.ServiceDeploymentBrief) bool) {
		for key, v := range tables.History(tx, s, after) {
			if f.matches(v) && !yield(key, ecs.RenderServiceDeploymentBrief(v)) {
				return
			}
		}
	}
}

// matches compares times as they are answered: to the millisecond.
func (f historyFilter) matches(v ecs.ServiceDeploymentView) bool {
	at := v.CreatedAt.Truncate(time.Millisecond)
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, v.Shown())) &&
		(f.After.IsZero() || at.After(f.After)) && (f.Before.IsZero() || at.Before(f.Before))
}
