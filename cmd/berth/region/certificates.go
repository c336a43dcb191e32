package region

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
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/internal/sealing"
	"github.com/berth-ecs/berth/store"
)

// openKeyring is what opens the private keys of certificates on every server of the installation.
func openKeyring(m *membership) (*acm.Keyring, error) {
	secret, err := m.sealing()
	if err != nil {
		return nil, err
	}
	return acm.NewKeyring(secret)
}

// newACM serves Certificate Manager.
func newACM(records store.Store, k *acm.Keyring) *acmapi.API {
	return acmapi.New(acmapi.Config{Store: records, Keyring: k, Random: rand.Reader, Users: tlsListeners{}})
}

// identities are the certificates of Certificate Manager as the wings that serve TLS need them.
type identities struct{ keyring *acm.Keyring }

// Secrets is a certificate with its chain, and its private key, in PEM.
func (c identities) Secrets(tx store.Tx, arn string) (chain, key []byte, err error) {
	return acmtables.Secrets(tx, c.keyring, arn)
}

// warnOfSecrets says so when certificates were sealed on a server with another secret: it is the operator who can put the right one there.
func warnOfSecrets(ctx context.Context, log *slog.Logger, r rooms) {
	var arn string
	err := r.store.View(ctx, store.Any, func(tx store.Tx) error {
		var err error
		arn, err = acmtables.Unopened(tx, r.sealed)
		return err
	})
	if errors.Is(err, acm.ErrOtherSecret) {
		log.Error("certificates cannot be served: this server has another sealing key than the one that sealed them; put that of another server, or of the backup, in its place and start again",
			"certificate", arn, "file", sealing.Path(r.membership.settings.DataDir))
	}
}

// tlsListeners tell which load balancers use a certificate.
type tlsListeners struct{}

var _ acmapi.Users = tlsListeners{}

// UsersOf implements acmapi.Users.
func (tlsListeners) UsersOf(tx store.Tx, arn string) []string {
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
