package elbapi

import (
	"context"
	"iter"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// CreateListener makes a listener.
func (a *API) CreateListener(ctx context.Context, c wire.Call, in *shape.CreateListenerInput) (*shape.CreateListenerOutput, error) {
	out := &shape.CreateListenerOutput{}
	pairs, err := elb.MergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		b, err := tables.LoadBalancer(tx, home(c), aws.Val(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		l := &elb.Listener{Home: b.Home, LoadBalancer: b.ID, ID: tx.NewID()[:16], CreatedAt: tx.Now()}
		if err := a.setListener(tx, b, l, &shape.ModifyListenerInput{
			Port: in.Port, Protocol: in.Protocol, SslPolicy: in.SslPolicy, Certificates: in.Certificates, AlpnPolicy: in.AlpnPolicy,
			MutualAuthentication: in.MutualAuthentication, DefaultActions: in.DefaultActions,
		}); err != nil {
			return err
		}
		if tables.ListenersByLoadBalancer.Count(tx, tables.Key(b.Home, b.ID)) > maxListeners {
			return elb.Errorf(shape.CodeTooManyListenersException, "The maximum number of listeners has been reached for the load balancer '%s': %d", b.ARN(), maxListeners)
		}
		tables.PutTags(tx, &elb.Tags{Home: l.Home, Of: b.ListenerARN(l.ID), Pairs: pairs})
		out.Listeners = []shape.Listener{namesOf(tx, b).Listener(l)}
		return nil
	})
	return out, err
}

// setListener applies what a request says to a listener, and writes it. The load balancer's other listeners stay as they are until this commits.
func (a *API) setListener(tx store.Tx, b *elb.LoadBalancer, l *elb.Listener, in *shape.ModifyListenerInput) error {
	tables.Touch(tx, b.Home, b.ID)
	if err := l.Change(b, in); err != nil {
		return err
	}
	for _, o := range tables.ListenersIn(tx, b) {
		if o.ID != l.ID && o.Port == l.Port {
			return elb.Errorf(shape.CodeDuplicateListenerException, "A listener already exists on this port for this load balancer '%s'", b.ARN())
		}
	}
	if len(in.Certificates) > 0 && !a.Certificates.Certificate(tx, l.Home, l.Certificate) {
		return elb.NoCertificate(l.Certificate)
	}
	if len(in.DefaultActions) > 0 || len(l.Default) == 0 {
		wish, err := b.Actions(in.DefaultActions)
		if err != nil {
			return err
		}
		if l.Default, err = a.resolve(tx, b, l.Protocol, wish); err != nil {
			return err
		}
	}
	if err := compatible(tx, b, l); err != nil {
		return err
	}
	if l.Protocol != elb.HTTPS && tables.CertificatesByListener.Count(tx, tables.Key(l.Home, l.ID)) > 0 {
		return elb.Invalid("The listener has certificates: remove them before its protocol is '%s'", l.Protocol)
	}
	tables.Listeners.Put(tx, l)
	return nil
}

// ModifyListener changes a listener: what the request does not say stays.
func (a *API) ModifyListener(ctx context.Context, c wire.Call, in *shape.ModifyListenerInput) (*shape.ModifyListenerOutput, error) {
	out := &shape.ModifyListenerOutput{}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		b, was, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
		if err != nil {
			return err
		}
		l := *was
		tables.Touch(tx, l.Home, l.ID)
		if err := a.setListener(tx, b, &l, in); err != nil {
			return err
		}
		out.Listeners = []shape.Listener{namesOf(tx, b).Listener(&l)}
		return nil
	})
	return out, err
}

// DescribeListeners answers listeners of some ARNs, or a page of those of a load balancer.
func (a *API) DescribeListeners(ctx context.Context, c wire.Call, in *shape.DescribeListenersInput) (*shape.DescribeListenersOutput, error) {
	out := &shape.DescribeListenersOutput{Listeners: []shape.Listener{}}
	of := aws.Val(in.LoadBalancerArn)
	if (of == "") == (len(in.ListenerArns) == 0) {
		return nil, elb.Invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		list, err := listeners(tx, home(c), of, in.ListenerArns)
		if err != nil {
			return err
		}
		out.Listeners, out.NextMarker, err = wire.Page(page(in.Marker, in.PageSize, "DescribeListeners", home(c), of, in.ListenerArns), list)
		return err
	})
	return out, err
}

func listeners(tx store.Tx, h elb.Home, of string, arns []string) (iter.Seq2[string, shape.Listener], error) {
	var rows []shape.Listener
	for _, arn := range arns {
		b, l, err := tables.Listener(tx, h, arn)
		if err != nil {
			return nil, err
		}
		rows = append(rows, namesOf(tx, b).Listener(l))
	}
	if of == "" {
		return ordered(rows), nil
	}
	b, err := tables.LoadBalancer(tx, h, of)
	if err != nil {
		return nil, err
	}
	for _, l := range tables.ListenersIn(tx, b) {
		rows = append(rows, namesOf(tx, b).Listener(l))
	}
	return keyed(rows, func(l shape.Listener) string { return *l.ListenerArn }), nil
}
