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

// CreateService makes a service.
func (a *API) CreateService(ctx context.Context, c wire.Call, in *shape.CreateServiceRequest) (*shape.CreateServiceResponse, error) {
	without := *in
	without.CreatorRequestId = nil
	r := ask(c, in.CreatorRequestId, without)
	namespace := aws.Val(in.NamespaceId)
	if namespace == "" && in.DnsConfig != nil {
		namespace = aws.Val(in.DnsConfig.NamespaceId)
	}
	if namespace == "" {
		return nil, cloudmap.Invalid("Service namespace id cannot be null")
	}
	pairs, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var made *cloudmap.Service
	err = a.store.Update(ctx, func(tx store.Tx) error {
		id, err := r.answered(tx)
		if err != nil {
			return err
		}
		if was, ok := tables.Services.Get(tx, tables.Key(r.home, or(id, "-"))); ok {
			made = was
			return nil
		}
		n, err := tables.Namespace(tx, r.home, namespace)
		if err != nil {
			return err
		}
		made, err = newService(tx, r, n, in)
		if err != nil {
			return err
		}
		tables.PutTags(tx, &cloudmap.Tags{Home: r.home, Resource: made.ID, Pairs: pairs})
		r.keep(tx, made.ID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateServiceResponse{Service: made.Render(0)}, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// newService writes the service of a request.
func newService(tx store.Tx, r asked, n *cloudmap.Namespace, in *shape.CreateServiceRequest) (*cloudmap.Service, error) {
	s := &cloudmap.Service{
		Home: r.home, ID: cloudmap.ServiceID(tx.NewID()), Namespace: n.ID, Name: aws.Val(in.Name), Type: aws.Val(in.Type),
		Description: aws.Val(in.Description), CreatorRequestID: r.token, CreatedAt: tx.Now(), Check: checkOf(in.HealthCheckConfig),
	}
	if in.DnsConfig != nil {
		s.Routing, s.Records = aws.Val(in.DnsConfig.RoutingPolicy), recordsOf(in.DnsConfig.DnsRecords)
	}
	if h := in.HealthCheckCustomConfig; h != nil {
		s.Custom = &cloudmap.Custom{Threshold: aws.Val(h.FailureThreshold)}
	}
	if err := s.Finish(n); err != nil {
		return nil, err
	}
	if err := tables.TakeName(tx, n, s); err != nil {
		return nil, err
	}
	tables.Services.Put(tx, s)
	tables.Touch(tx, n.Home, n.ID)
	tables.Touch(tx, s.Home, s.ID)
	return s, nil
}

// recordsOf is never nil: an empty list is not the same as none.
func recordsOf(in []shape.DnsRecord) []cloudmap.Record {
	out := []cloudmap.Record{}
	for _, r := range in {
		out = append(out, cloudmap.Record{Type: aws.Val(r.Type), TTL: aws.Val(r.TTL)})
	}
	return out
}

func checkOf(in *shape.HealthCheckConfig) *cloudmap.Check {
	if in == nil {
		return nil
	}
	return &cloudmap.Check{Type: aws.Val(in.Type), Path: aws.Val(in.ResourcePath), Threshold: aws.Val(in.FailureThreshold)}
}

// instances is how many a service has.
func instances(tx store.Tx, s *cloudmap.Service) int {
	return tables.InstancesByService.Count(tx, tables.Key(s.Home, s.ID))
}

// GetService answers one.
func (a *API) GetService(ctx context.Context, c wire.Call, in *shape.GetServiceRequest) (*shape.GetServiceResponse, error) {
	out := &shape.GetServiceResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.Id))
		if err == nil {
			out.Service = s.Render(instances(tx, s))
		}
		return err
	})
	return out, err
}

// ListServices answers a page of those that the filters let through.
func (a *API) ListServices(ctx context.Context, c wire.Call, in *shape.ListServicesRequest) (*shape.ListServicesResponse, error) {
	var tests []func(*cloudmap.Service) bool
	for _, f := range in.Filters {
		test, err := serviceFilter(home(c), filter{aws.Val(f.Name), aws.Val(f.Condition), f.Values})
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	out := &shape.ListServicesResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		rows, next, err := wire.Page(page(in.NextToken, in.MaxResults, "ListServices", home(c), in.Filters), summaries(tx, home(c), in.Filters, tests))
		out.Services, out.NextToken = rows, next
		return err
	})
	return out, err
}

// summaries walks the services of one namespace only, if a filter names one.
func summaries(tx store.Tx, h cloudmap.Home, filters []shape.ServiceFilter, tests []func(*cloudmap.Service) bool) iter.Seq2[string, shape.ServiceSummary] {
	list := tables.Services.List(tx, tables.All(h), "")
	for _, f := range filters {
		if aws.Val(f.Name) == shape.ServiceFilterNameNamespaceId && len(f.Values) == 1 {
			if id, ok := h.Local(cloudmap.KindNamespace, f.Values[0]); ok && tables.Keyable(id) {
				list = tables.ServicesByNamespace.List(tx, tables.Key(h, id), "")
			}
		}
	}
	return func(yield func(string, shape.ServiceSummary) bool) {
		for k, s := range list {
			if all(tests, s) && !yield(k, s.Summary(instances(tx, s))) {
				return
			}
		}
	}
}

// UpdateService begins to change a service.
func (a *API) UpdateService(ctx context.Context, c wire.Call, in *shape.UpdateServiceRequest) (*shape.UpdateServiceResponse, error) {
	change := cloudmap.ServiceChange{Description: in.Service.Description, Check: checkOf(in.Service.HealthCheckConfig)}
	if d := in.Service.DnsConfig; d != nil {
		change.Records = recordsOf(d.DnsRecords)
	}
	id, err := a.submit(ctx, ask(c, nil, in), func(tx store.Tx, o *cloudmap.Operation) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.Id))
		if err != nil {
			return err
		}
		n, err := tables.Namespace(tx, home(c), s.Namespace)
		if err != nil {
			return err
		}
		if _, err := s.Changed(n, change); err != nil {
			return err
		}
		o.Type, o.Service, o.Wish.Service = shape.OperationTypeUpdateService, s.ID, &change
		return nil
	})
	return &shape.UpdateServiceResponse{OperationId: id}, err
}

// DeleteService deletes an empty service.
func (a *API) DeleteService(ctx context.Context, c wire.Call, in *shape.DeleteServiceRequest) (*shape.DeleteServiceResponse, error) {
	return nil, a.store.Update(ctx, func(tx store.Tx) error {
		s, err := tables.Service(tx, home(c), aws.Val(in.Id))
		if err != nil {
			return err
		}
		n, err := tables.Namespace(tx, home(c), s.Namespace)
		if err != nil {
			return err
		}
		return tables.DeleteService(tx, n, s)
	})
}
