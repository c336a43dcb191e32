// Package identities connects Certificate Manager with the wings that serve TLS: which listener uses what, and what proxies need to know of it.
//
// Guarantees: private keys leave it by Proxies alone. What a listener was told is there is not deleted while it is.
package identities

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmapi"
	acmtables "github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/elbapi"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/mesh/feed"
	"github.com/berth-ecs/berth/store"
)

// New serves Certificate Manager.
func New(records store.Store, k *acm.Keyring) *acmapi.API {
	return acmapi.New(acmapi.Config{Store: records, Keyring: k, Random: rand.Reader, Users: Listeners{}})
}

// Warn says so when certificates were sealed on a server with another secret than in file: it is the operator who can put the right one there.
func Warn(ctx context.Context, s store.Store, k *acm.Keyring, log *slog.Logger) {
	var arn string
	err := s.View(ctx, store.Any, func(tx store.Tx) error {
		var err error
		arn, err = acmtables.Unopened(tx, k)
		return err
	})
	if errors.Is(err, acm.ErrOtherSecret) {
		log.Error("certificates cannot be served: this server has another sealing-key in its data-dir than the one that sealed them; put that of another server, or of the backup, in its place and start again",
			"certificate", arn)
	}
}

// Listeners tell which load balancers use a certificate.
type Listeners struct{}

var _ acmapi.Users = Listeners{}

// UsersOf implements acmapi.Users.
func (Listeners) UsersOf(tx store.Tx, arn string) []string {
	var out []string
	add := func(h elb.Home, id string) {
		if l, ok := elbtables.LoadBalancers.Peek(tx, elbtables.Key(h, id)); ok {
			out = append(out, l.ARN())
		}
	}
	for _, l := range elbtables.ListenersByCertificate.List(tx, arn, "") {
		add(l.Home, l.LoadBalancer)
	}
	for _, c := range elbtables.CertificatesByARN.List(tx, arn, "") {
		add(c.Home, c.LoadBalancer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Known are certificates as listeners name them.
type Known struct{}

var _ elbapi.Certificates = Known{}

// Certificate implements elbapi.Certificates: the certificate is of the listener's home, and of a key that proxies take.
func (Known) Certificate(tx store.Tx, h elb.Home, arn string) bool {
	if of, _, ok := acm.ParseARN(arn); !ok || of != acm.Home(h) {
		return false
	}
	c, ok := acmtables.Use(tx, arn)
	return ok && c.Servable()
}

// Proxies are certificates as proxies need them.
type Proxies struct{ Keyring *acm.Keyring }

var _ feed.Secrets = Proxies{}

// Tables implements feed.Secrets. A key is written whenever its certificate is.
func (Proxies) Tables() []string { return []string{acmtables.Keys.Name()} }

// Of implements feed.Secrets.
func (Proxies) Of(c store.Change) string {
	if _, key, ok := acmtables.Keys.Of(c); ok && key != nil {
		return key.ARN(key.ID)
	}
	return ""
}

// Secret implements feed.Secrets.
func (p Proxies) Secret(tx store.Tx, arn string) (chain, key []byte, err error) {
	return acmtables.Secrets(tx, p.Keyring, arn)
}
