package acmapi

import (
	"context"
	"fmt"
	"io"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// ImportCertificate keeps a certificate, or puts another in the place of one: what uses that uses the new one from then on.
func (a *API) ImportCertificate(ctx context.Context, c wire.Call, in *shape.ImportCertificateRequest) (*shape.ImportCertificateResponse, error) {
	var salt [acm.SaltSize]byte
	if _, err := io.ReadFull(a.Random, salt[:]); err != nil {
		return nil, fmt.Errorf("import a certificate: %w", err)
	}
	material := acm.Material{Body: in.Certificate, Chain: in.CertificateChain, Key: in.PrivateKey}
	out := &shape.ImportCertificateResponse{}
	err := a.Store.Update(ctx, func(tx store.Tx) error {
		checked, err := material.Check(tx.Now())
		if err != nil {
			return err
		}
		var cert *acm.Certificate
		if in.CertificateArn != nil {
			cert, err = replaced(tx, home(c), in, checked)
		} else {
			cert, err = fresh(tx, home(c), in)
		}
		if err != nil {
			return err
		}
		cert.Body, cert.Chain, cert.ImportedAt = checked.Body, checked.Chain, tx.Now()
		tables.Certificates.Put(tx, cert)
		tables.Keys.Put(tx, &acm.Key{Home: cert.Home, ID: cert.ID, Sealed: checked.Seal(a.Keyring, salt, cert.ARN())})
		out.CertificateArn = aws.Ptr(cert.ARN())
		return nil
	})
	return out, err
}

// fresh is a certificate that was not there, with its tags.
func fresh(tx store.Tx, h acm.Home, in *shape.ImportCertificateRequest) (*acm.Certificate, error) {
	if tables.CertificatesByHome.Count(tx, tables.All(h)) >= acm.MaxCertificates {
		return nil, acm.Full()
	}
	cert := &acm.Certificate{Home: h, ID: acm.NewID(tx.NewID()), CreatedAt: tx.Now()}
	pairs, err := merge(nil, in.Tags)
	if err == nil {
		tables.PutTags(tx, &acm.Tags{Home: h, ID: cert.ID, Pairs: pairs})
	}
	return cert, err
}

// replaced is a copy of the certificate whose place another takes.
func replaced(tx store.Tx, h acm.Home, in *shape.ImportCertificateRequest, by *acm.Checked) (*acm.Certificate, error) {
	old, err := find(tx, h, in.CertificateArn)
	switch {
	case err != nil:
		return nil, err
	case len(in.Tags) > 0:
		return nil, acm.Invalid("Tags cannot be given when a certificate is imported again: use AddTagsToCertificate.")
	}
	next := *old
	return &next, by.Replaces(old)
}
