package cloudmapapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// GetOperation answers how far an operation is.
func (a *API) GetOperation(ctx context.Context, c wire.Call, in *shape.GetOperationRequest) (*shape.GetOperationResponse, error) {
	none := cloudmap.NoOperation(aws.Val(in.OperationId))
	if err := owned(c, in.OwnerAccount, none); err != nil {
		return nil, err
	}
	key := tables.OperationKey(home(c), aws.Val(in.OperationId))
	if key == "" {
		return nil, none
	}
	out := &shape.GetOperationResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		o, ok := tables.Operations.Peek(tx, key)
		if !ok {
			return none
		}
		out.Operation = o.Render(tables.Status(tx, o))
		return nil
	})
	return out, err
}

// ended is an operation with its status.
type ended struct {
	*cloudmap.Operation
	status cloudmap.OperationStatus
}

// ListOperations answers a page of those that the filters let through, the oldest first.
func (a *API) ListOperations(ctx context.Context, c wire.Call, in *shape.ListOperationsRequest) (*shape.ListOperationsResponse, error) {
	var tests []func(ended) bool
	for _, f := range in.Filters {
		test, err := operationFilter(filter{aws.Val(f.Name), aws.Val(f.Condition), f.Values})
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	out := &shape.ListOperationsResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		p := page(in.NextToken, in.MaxResults, "ListOperations", home(c), in.Filters)
		after, err := p.After()
		if err != nil {
			return err
		}
		rows, next, err := wire.Page(p, operations(tx, tables.Operations.List(tx, tables.All(home(c)), after), tests))
		out.Operations, out.NextToken = rows, next
		return err
	})
	return out, err
}

func operations(tx store.Tx, list iter.Seq2[string, *cloudmap.Operation], tests []func(ended) bool) iter.Seq2[string, shape.OperationSummary] {
	return func(yield func(string, shape.OperationSummary) bool) {
		for k, o := range list {
			e := ended{o, tables.Status(tx, o)}
			if all(tests, e) && !yield(k, shape.OperationSummary{Id: &o.ID, Status: &e.status.Status}) {
				return
			}
		}
	}
}
