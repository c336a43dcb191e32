package acmapi

import (
	"context"

	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// DescribeCertificate answers what a certificate says, and who uses it.
func (a *API) DescribeCertificate(ctx context.Context, c wire.Call, in *shape.DescribeCertificateRequest) (*shape.DescribeCertificateResponse, error) {
	out := &shape.DescribeCertificateResponse{}
	err := a.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		cert, err := find(tx, home(c), in.CertificateArn)
		if err != nil {
			return err
		}
		facts, err := cert.Facts()
		if err == nil {
			out.Certificate = cert.Render(facts, a.usersOf(tx, cert), tx.Now())
		}
		return err
	})
	return out, err
}

// GetCertificate answers a certificate and who signed it, in PEM.
func (a *API) GetCertificate(ctx context.Context, c wire.Call, in *shape.GetCertificateRequest) (*shape.GetCertificateResponse, error) {
	out := &shape.GetCertificateResponse{}
	err := a.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		cert, err := find(tx, home(c), in.CertificateArn)
		if err != nil {
			return err
		}
		out.Certificate = &cert.Body
		if cert.Chain != "" {
			out.CertificateChain = &cert.Chain
		}
		return nil
	})
	return out, err
}

// DeleteCertificate forgets a certificate that nothing uses.
func (a *API) DeleteCertificate(ctx context.Context, c wire.Call, in *shape.DeleteCertificateRequest) (*aws.Unit, error) {
	return nil, a.Store.Update(ctx, func(tx store.Tx) error {
		cert, err := find(tx, home(c), in.CertificateArn)
		if err != nil {
			return err
		}
		return tables.Delete(tx, cert, func() []string { return a.usersOf(tx, cert) })
	})
}
