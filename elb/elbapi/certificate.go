package elbapi

import (
	"context"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// recertify changes the further certificates of a listener; fn is called with each ARN of the request.
func (a *API) recertify(ctx context.Context, c wire.Call, listener *string, in []shape.Certificate, fn func(tx store.Tx, l *elb.Listener, arn string) error) error {
	if len(in) == 0 {
		return elb.Invalid("You must specify a certificate")
	}
	return a.store.Update(ctx, func(tx store.Tx) error {
		_, l, err := tables.Listener(tx, home(c), aws.Val(listener))
		if err != nil {
			return err
		}
		if l.Protocol != elb.HTTPS {
			return elb.Errorf(shape.CodeOperationNotPermittedException, "Certificates can be added to and removed from HTTPS listeners only")
		}
		tables.Touch(tx, l.Home, l.ID)
		for _, cert := range in {
			arn := aws.Val(cert.CertificateArn)
			if arn == "" {
				return elb.Invalid("A certificate ARN must be specified")
			}
			if cert.IsDefault != nil {
				return elb.Invalid("IsDefault cannot be specified when certificates are added or removed")
			}
			if err := fn(tx, l, arn); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddListenerCertificates gives a listener further certificates. One that it has stays.
func (a *API) AddListenerCertificates(ctx context.Context, c wire.Call, in *shape.AddListenerCertificatesInput) (*shape.AddListenerCertificatesOutput, error) {
	out := &shape.AddListenerCertificatesOutput{}
	err := a.recertify(ctx, c, in.ListenerArn, in.Certificates, func(tx store.Tx, l *elb.Listener, arn string) error {
		if !a.Certificates.Certificate(tx, l.Home, arn) {
			return elb.NoCertificate(arn)
		}
		if arn != l.Certificate {
			tables.Certificates.Put(tx, &elb.Certificate{Home: l.Home, LoadBalancer: l.LoadBalancer, Listener: l.ID, ARN: arn})
		}
		if tables.CertificatesByListener.Count(tx, tables.Key(l.Home, l.ID)) > maxCertificates {
			return elb.Errorf(shape.CodeTooManyCertificatesException, "The maximum number of certificates of a listener has been reached: %d", maxCertificates)
		}
		return nil
	})
	for _, cert := range in.Certificates {
		out.Certificates = append(out.Certificates, shape.Certificate{CertificateArn: cert.CertificateArn, IsDefault: aws.Ptr(false)})
	}
	return out, err
}

// RemoveListenerCertificates takes further certificates away.
func (a *API) RemoveListenerCertificates(ctx context.Context, c wire.Call, in *shape.RemoveListenerCertificatesInput) (*shape.RemoveListenerCertificatesOutput, error) {
	return &shape.RemoveListenerCertificatesOutput{}, a.recertify(ctx, c, in.ListenerArn, in.Certificates, func(tx store.Tx, l *elb.Listener, arn string) error {
		if arn == l.Certificate {
			return elb.Errorf(shape.CodeOperationNotPermittedException, "The default certificate of a listener cannot be removed")
		}
		tables.Certificates.Delete(tx, tables.CertificateKey(l.Home, l.LoadBalancer, l.ID, arn))
		return nil
	})
}

// DescribeListenerCertificates answers a page of a listener's certificates, the default one first.
func (a *API) DescribeListenerCertificates(ctx context.Context, c wire.Call, in *shape.DescribeListenerCertificatesInput) (*shape.DescribeListenerCertificatesOutput, error) {
	out := &shape.DescribeListenerCertificatesOutput{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		_, l, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
		if err != nil {
			return err
		}
		all := []string{}
		if l.Certificate != "" {
			all = append(all, l.Certificate)
		}
		for _, more := range tables.CertificatesIn(tx, l) {
			if more.ARN != l.Certificate {
				all = append(all, more.ARN)
			}
		}
		key := func(arn string) string {
			if arn == l.Certificate {
				return " "
			}
			return arn
		}
		rows, next, err := wire.Page(page(in.Marker, in.PageSize, "DescribeListenerCertificates", home(c), in.ListenerArn), keyed(all, key))
		out.Certificates = []shape.Certificate{}
		for _, arn := range rows {
			out.Certificates = append(out.Certificates, shape.Certificate{CertificateArn: aws.Ptr(arn), IsDefault: aws.Ptr(arn == l.Certificate)})
		}
		out.NextMarker = next
		return err
	})
	return out, err
}
