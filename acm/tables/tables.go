// Package tables is where the records of Certificate Manager live in the store: their typed tables, and what the API and other wings share
// inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches only this wing's tables; it reads time and
// identifiers from the Tx. Private keys leave it by Secrets alone.
package tables

import (
	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/store"
)

// At is the scope of a home's records.
func At(h acm.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// Key is the key of a certificate's records.
func Key(h acm.Home, id string) string { return At(h).Key(id) }

// All begins the keys of all records of a home in a table.
func All(h acm.Home) string { return At(h).Prefix() }

// The tables.
var (
	Certificates = store.Define(store.Def[acm.Certificate]{Name: "acm.certificate", Version: 1,
		Key: func(r *acm.Certificate) string { return Key(r.Home, r.ID) }})
	Keys = store.Define(store.Def[acm.Key]{Name: "acm.key", Version: 1,
		Key: func(r *acm.Key) string { return Key(r.Home, r.ID) }})
	Tags = store.Define(store.Def[acm.Tags]{Name: "acm.tags", Version: 1,
		Key: func(r *acm.Tags) string { return Key(r.Home, r.ID) }})
	Uses = store.Define(store.Def[acm.Use]{Name: "acm.use", Version: 1,
		Key: func(r *acm.Use) string { return Key(r.Home, r.ID) }})
)

// CertificatesByHome: All of the home; for counting, the table lists them.
var CertificatesByHome = store.NewIndex(Certificates, "home", func(c *acm.Certificate) []string { return []string{All(c.Home)} })

// Schema is every table of the wing.
func Schema() store.Schema { return store.Schema{Certificates, Keys, Tags, Uses} }
