package control

import (
	"context"
	"errors"
	"iter"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// operations does what clients asked for. Keys are those of operations.
type operations struct {
	*Loops
	store store.Store
}

func (l operations) config() loop.Config {
	return loop.Config{
		Name: "cloudmap-operations", Store: l.store, Tables: []string{tables.Operations.Name()}, Workers: 16, Debounce: -1,
		Dirty: func(_ store.Tx, c store.Change) []string {
			if was, now, ok := tables.Operations.Of(c); !ok || was != nil || now == nil {
				return nil
			}
			return []string{c.Key}
		},
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for _, b := range tables.Busies.List(tx, "", "") {
					if !yield(tables.OperationKey(b.Home, b.Operation)) {
						return
					}
				}
			}
		},
		Reconcile: func(ctx context.Context, key string) (loop.Result, error) { return loop.Result{}, l.advance(ctx, key) },
	}
}

// advance takes an operation to its end.
func (l operations) advance(ctx context.Context, key string) error {
	var o *cloudmap.Operation
	err := l.store.Update(ctx, func(tx store.Tx) error {
		o, _ = tables.Operations.Get(tx, key)
		if o != nil {
			o = begun(tx, o)
		}
		return nil
	})
	if err != nil || o == nil {
		return err
	}
	err = l.store.Update(ctx, func(tx store.Tx) error {
		if _, ok := tables.Operations.Get(tx, key); !ok {
			return nil // it was forgotten, with the names that it had taken
		}
		if err := l.do(tx, o); err != nil {
			return err
		}
		end(tx, o, cloudmap.OperationStatus{Status: shape.OperationStatusSuccess})
		return nil
	})
	refused, ok := errors.AsType[*aws.Error](err)
	if !ok {
		return err
	}
	return l.store.Update(ctx, func(tx store.Tx) error {
		if o.Type == shape.OperationTypeCreateNamespace {
			tables.GiveNames(tx, o.Wish.Create)
		}
		end(tx, o, cloudmap.OperationStatus{Status: shape.OperationStatusFail, ErrorCode: failure(refused), ErrorMessage: refused.Message})
		return nil
	})
}

// The codes of operations that failed are not those of requests that did.
const (
	noZone    = "CANNOT_CREATE_HOSTED_ZONE"
	zoneGone  = "HOSTED_ZONE_NOT_FOUND"
	badChange = "INVALID_CHANGE_BATCH"
	noSuch    = "INTERNAL_FAILURE"
)

// failure is the code of an operation that was refused when it was done, though not when it was asked for.
func failure(refused *aws.Error) string {
	switch refused.Code {
	case noZone, noSuch:
		return refused.Code
	case shape.CodeNamespaceNotFound:
		return zoneGone
	}
	return badChange
}

// begun says that an operation goes on; nil when it has ended.
func begun(tx store.Tx, o *cloudmap.Operation) *cloudmap.Operation {
	s, ok := tables.Statuses.Get(tx, tables.OperationKey(o.Home, o.ID))
	switch {
	case !ok:
		put(tx, o, cloudmap.OperationStatus{Status: shape.OperationStatusPending})
	case cloudmap.Done(s.Status):
		return nil
	}
	return o
}

func put(tx store.Tx, o *cloudmap.Operation, s cloudmap.OperationStatus) {
	s.Home, s.Operation, s.At = o.Home, o.ID, tx.Now()
	tables.Statuses.Put(tx, &s)
}

func end(tx store.Tx, o *cloudmap.Operation, s cloudmap.OperationStatus) {
	put(tx, o, s)
	tables.Busies.Delete(tx, tables.Key(o.Home, o.Target()))
}

// do does it, or answers AWS's error: nothing was written then.
func (l operations) do(tx store.Tx, o *cloudmap.Operation) error {
	switch o.Type {
	case shape.OperationTypeCreateNamespace:
		return l.createNamespace(tx, o)
	case shape.OperationTypeUpdateNamespace:
		n, err := tables.Namespace(tx, o.Home, o.Namespace)
		if err == nil {
			tables.Namespaces.Put(tx, n.Changed(*o.Wish.Update))
		}
		return err
	case shape.OperationTypeDeleteNamespace:
		n, err := tables.Namespace(tx, o.Home, o.Namespace)
		if err == nil {
			err = tables.DeleteNamespace(tx, n)
		}
		return err
	case shape.OperationTypeUpdateService:
		return updateService(tx, o)
	case shape.OperationTypeRegisterInstance:
		_, err := tables.RegisterInstance(tx, tables.Registration{Home: o.Home, Service: o.Service, Instance: o.Instance,
			Attributes: o.Wish.Register, CreatorRequestID: o.CreatorRequestID})
		return err
	case shape.OperationTypeDeregisterInstance:
		return tables.DeregisterInstance(tx, tables.Ref{Home: o.Home, Service: o.Service, Instance: o.Instance})
	}
	return cloudmap.Errorf(noSuch, "This version of berth has no operation of type %s", o.Type)
}

func (l operations) createNamespace(tx store.Tx, o *cloudmap.Operation) error {
	n := o.Wish.Create
	if n.VPC != "" && !l.VPCs.HasVPC(tx, n.Home, n.VPC) {
		return cloudmap.Errorf(noZone, "The VPC that you chose, %s, in region %s is either invalid or you aren't authorized to use it. "+
			"(Service: AmazonRoute53; Status Code: 400; Error Code: InvalidVPCId; Request ID: %s)", n.VPC, n.Region, o.ID)
	}
	tables.Namespaces.Put(tx, n)
	tables.PutTags(tx, &cloudmap.Tags{Home: n.Home, Resource: n.ID, Pairs: o.Wish.Tags})
	tables.Touch(tx, n.Home, n.ID)
	return nil
}

func updateService(tx store.Tx, o *cloudmap.Operation) error {
	s, err := tables.Service(tx, o.Home, o.Service)
	if err != nil {
		return err
	}
	n, err := tables.Namespace(tx, o.Home, s.Namespace)
	if err != nil {
		return err
	}
	next, err := s.Changed(n, *o.Wish.Service)
	if err == nil {
		tables.Services.Put(tx, next)
	}
	return err
}
