package region

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// storeConfig is where this server's records are: in an etcd of the servers, or in one that they share.
func (m *membership) storeConfig(c Config) (etcd.Config, error) {
	out := etcd.Config{Schema: Schema(), DataDir: etcdDir(c.Settings), Name: c.Settings.Name, Log: c.Log.With("component", "store")}
	var err error
	if out.Peer, err = m.peer(); err != nil || !c.Settings.SharesEtcd() {
		return out, err
	}
	out.DataDir, out.Endpoints, out.Name, out.Server = "", c.Settings.Etcd, c.Settings.EtcdPrefix, m.name
	out.TLS, err = EtcdTLS(c.Settings)
	return out, err
}

// EtcdTLS is how an etcd is spoken to: its certificate has to be for the host of its URL. nil for one that speaks no TLS.
func EtcdTLS(s config.Settings) (*tls.Config, error) {
	if strings.HasPrefix(s.Etcd[0], "http://") {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, Time: clock.Now}
	if s.EtcdCA != "" {
		text, err := os.ReadFile(s.EtcdCA)
		if err != nil {
			return nil, fmt.Errorf("etcd-ca: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("etcd-ca: %s holds no certificate", s.EtcdCA)
		}
	}
	if s.EtcdCertificate == "" {
		return out, nil
	}
	files, err := authority.Load(s.EtcdCertificate, s.EtcdKey)
	if err != nil {
		return nil, fmt.Errorf("etcd-certificate: %w", err)
	}
	out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return files.Get(nil) }
	return out, nil
}

// ProbeEtcd asks the etcd of the settings how it is: in words, for an operator.
func ProbeEtcd(ctx context.Context, s config.Settings) (string, error) {
	conf, err := EtcdTLS(s)
	if err != nil {
		return "", err
	}
	st, err := etcd.Probe(ctx, etcd.Config{Endpoints: s.Etcd, TLS: conf, Name: s.EtcdPrefix})
	switch {
	case err != nil:
		return "", err
	case st.NoSpace:
		return "", errors.New("etcd: it has no space left and takes no writes: etcdctl compact, defrag and alarm disarm")
	}
	return fmt.Sprintf("version %s at %s, %d MiB of which %d MiB are in use", st.Version, strings.Join(s.Etcd, ", "), st.SizeBytes>>20, st.InUseBytes>>20), nil
}

// openRecords opens the store; what a shared one's errors mean is said.
func openRecords(ctx context.Context, s config.Settings, c etcd.Config) (*etcd.Store, error) {
	out, err := etcd.Open(ctx, c)
	if errors.Is(err, etcd.ErrUnreachable) {
		return nil, fmt.Errorf("%w (is it running, is %s its address, and is its certificate of etcd-ca and for that host?)", err, strings.Join(s.Etcd, ", "))
	}
	return out, err
}

// claim makes the records of an etcd this installation's, or refuses those of another.
func (m *membership) claim(ctx context.Context, s store.Store) error {
	print := authority.Print(m.authority.Certificate())
	err := s.Update(ctx, func(tx store.Tx) error { return tables.Claim(tx, print[:]) })
	if errors.Is(err, tables.ErrOwner) {
		return fmt.Errorf("etcd: the records of etcd-prefix %q are another installation's: give another etcd-prefix, or let this server join that one (berth ticket server, on one of its servers)",
			m.settings.EtcdPrefix)
	}
	return err
}

// settle says where this server is. Nobody else keeps servers of an etcd that they share apart: a removed one may not come back, and two may not have one name.
func (m *membership) settle(ctx context.Context, s store.Store, place joining.Place) error {
	if m.machine != "" && removed(ctx, s)(m.machine) {
		return errServerRemoved
	}
	err := s.Update(ctx, func(tx store.Tx) error {
		if err := tables.Named(tx, place); err != nil {
			return err
		}
		return tables.Settle(tx, place)
	})
	if errors.Is(err, tables.ErrName) {
		return fmt.Errorf("there is a server %q already: give this one another server-name, or, if that one is lost, say berth machines remove-server %s on another", place.Name, place.Name)
	}
	return err
}

var errServerRemoved = errors.New("this server was removed from the installation: it can join it again with a new ticket and an empty data directory")

// sharers are the servers that share an etcd, as joinapi sees those that keep the store: who they are is in the records.
type sharers struct{ store *etcd.Store }

func (k sharers) states(ctx context.Context) ([]joining.ServerState, error) {
	leader, err := k.store.Leader(ctx)
	if err != nil {
		return nil, err
	}
	var out []joining.ServerState
	err = k.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		for _, p := range tables.Places.List(tx, store.Installation().Prefix(), "") {
			out = append(out, joining.ServerState{Name: p.Name, Voter: true, Leader: p.Name == leader})
		}
		return nil
	})
	return out, err
}

// remove has nothing to do: the caller takes the server's place and certificate away.
func (k sharers) remove(ctx context.Context, name string) error {
	return k.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		if _, ok := tables.Places.Peek(tx, store.Installation().Key(name)); !ok {
			return fmt.Errorf("%w: %s", etcd.ErrUnknownMember, name)
		}
		return nil
	})
}
