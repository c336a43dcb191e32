// Package acmapi serves AWS Certificate Manager, as far as certificates are imported.
//
// Guarantees:
//
//   - No private key leaves it: not in an answer, not in an error, not in a log. It stores them sealed.
//   - Every parameter is honoured or refused with an error that says so.
//   - A certificate that something uses is not deleted.
package acmapi

import (
	"io"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// Users tells who uses certificates.
type Users interface {
	// UsersOf are the ARNs of what uses a certificate, each once, in order.
	UsersOf(tx store.Tx, arn string) []string
}

// Config is what an API needs.
type Config struct {
	Store   store.Store  // required
	Keyring *acm.Keyring // required
	Random  io.Reader    // required
	Users   Users        // optional; without, nothing uses any
}

// API holds the handlers.
type API struct{ Config }

// New makes an API.
func New(c Config) *API { return &API{c} }

// Bind binds every operation that is served, and says of the others what to do instead.
func (a *API) Bind(m *wire.Mux) {
	wire.Handle(m, shape.OpImportCertificate, a.ImportCertificate)
	wire.Handle(m, shape.OpDescribeCertificate, a.DescribeCertificate)
	wire.Handle(m, shape.OpListCertificates, a.ListCertificates)
	wire.Handle(m, shape.OpGetCertificate, a.GetCertificate)
	wire.Handle(m, shape.OpDeleteCertificate, a.DeleteCertificate)
	wire.Handle(m, shape.OpAddTagsToCertificate, a.AddTagsToCertificate)
	wire.Handle(m, shape.OpRemoveTagsFromCertificate, a.RemoveTagsFromCertificate)
	wire.Handle(m, shape.OpListTagsForCertificate, a.ListTagsForCertificate)

	wire.Refuse(m, shape.OpRequestCertificate, acm.BadParameter("Certificates are not issued in this region: have one made by a certificate authority and import it with ImportCertificate."))
	wire.Refuse(m, shape.OpExportCertificate, acm.Invalid("Imported certificates are not exported: their private keys do not leave the region."))
}

func home(c wire.Call) acm.Home { return acm.Home{Account: c.Account, Region: c.Region} }

// find answers the certificate of an ARN, guarded, or AWS's error.
func find(tx store.Tx, h acm.Home, arn *string) (*acm.Certificate, error) {
	of, _, ok := acm.ParseARN(aws.Val(arn))
	if !ok || of != h {
		return nil, acm.BadARN(aws.Val(arn))
	}
	c, ok := tables.Certificate(tx, *arn)
	if !ok {
		return nil, acm.NoCertificate(*arn)
	}
	return c, nil
}

func (a *API) usersOf(tx store.Tx, c *acm.Certificate) []string {
	if a.Users == nil {
		return nil
	}
	return a.Users.UsersOf(tx, c.ARN())
}
