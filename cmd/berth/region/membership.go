package region

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/internal/rootkeys"
	"github.com/berth-ecs/berth/internal/sealing"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// membership is this server among those of its installation.
type membership struct {
	settings  config.Settings
	name      string
	machine   string // "" for one that nobody else can be part of
	joined    client.Membership
	program   release.Program
	authority *authority.Authority // nil: this machine is the whole installation
	log       *slog.Logger
}

// belong makes this server part of the installation that made its ticket, or goes on in the one it is in; without a ticket it is the first of
// a new one.
func belong(ctx context.Context, c Config) (*membership, error) {
	s := c.Settings
	m := &membership{settings: s, program: release.This(c.Version), log: c.Log.With("component", "membership")}
	if err := ownRecords(s); err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	m.name = cmp.Or(s.ServerName, host, "server")
	joined, err := client.Load(s.DataDir)
	switch {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case s.Join != "":
		if err := mayJoin(s); err != nil {
			return nil, err
		}
		c.Ready.Wait(part, "joining the other servers")
		joined, err = client.Join(ctx, client.Config{DataDir: s.DataDir, Servers: s.Servers(), Ticket: s.Join, Name: m.name, Program: m.program},
			func(j client.Membership) error { return keepSecrets(s, j) })
		if err != nil {
			return nil, err
		}
	}
	if joined.Role == joining.Node {
		return nil, fmt.Errorf("%s is of a node: a server needs a data directory and a ticket of its own", s.DataDir)
	}
	if s.AgentListen == "" && !s.SharesEtcd() { // nobody comes from elsewhere
		return m, nil
	}
	if joined.Machine == "" {
		if joined, err = client.Begin(s.DataDir, newServerID()+newServerID()); err != nil {
			return nil, err
		}
	}
	m.machine, m.joined = joined.Machine, joined
	if m.authority, err = authority.Ensure(s.DataDir, clock.Now()); err != nil {
		return nil, err
	}
	return m, nil
}

// begun tells whether a data directory holds records.
func begun(s config.Settings) bool {
	_, err := os.Lstat(filepath.Join(etcdDir(s), "member"))
	return err == nil
}

// ownRecords refuses a data directory with records that would be forgotten.
func ownRecords(s config.Settings) error {
	if s.SharesEtcd() && begun(s) {
		return fmt.Errorf("etcd: %s holds records of before, which the etcd has not: move it away, or see docs/operations.md on how they are taken along", etcdDir(s))
	}
	return nil
}

// mayJoin is asked before a ticket is used up.
func mayJoin(s config.Settings) error {
	switch {
	case !s.SeveralServers():
		return errors.New("join: a server that joins others keeps the store with them, or shares an etcd: give peer-listen or etcd, and agent-listen for nodes")
	case begun(s):
		return fmt.Errorf("join: %s holds records of its own: a server joins others with an empty data directory", s.DataDir)
	}
	return nil
}

// keepSecrets stores what every server has.
func keepSecrets(s config.Settings, j client.Membership) error {
	if j.Secrets == nil {
		return errors.New("the ticket is for a node, this is a server")
	}
	if err := authority.Import(s.DataDir, j.Secrets.Authority, j.Secrets.AuthorityKey); err != nil { // first: it knows another installation's directory
		return err
	}
	for _, r := range j.Secrets.Roots {
		if err := rootkeys.Keep(rootkeys.Of{DataDir: s.DataDir, Account: r.Account}, rootkeys.Keys{AccessKey: r.AccessKey, SecretKey: r.SecretKey}); err != nil {
			return err
		}
	}
	if len(j.Secrets.Sealing) == 0 {
		return nil
	}
	return sealing.Keep(s.DataDir, j.Secrets.Sealing)
}

// secrets are what another server gets.
func (m *membership) secrets() (joining.Secrets, error) {
	var out joining.Secrets
	var err error
	if out.Authority, out.AuthorityKey, err = m.authority.Export(); err != nil {
		return out, err
	}
	for _, account := range accountsOf(m.settings) {
		k, err := rootkeys.Read(rootkeys.Of{DataDir: m.settings.DataDir, Account: account})
		if errors.Is(err, fs.ErrNotExist) { // given by the settings, as they have to be on every server
			continue
		}
		if err != nil {
			return out, err
		}
		out.Roots = append(out.Roots, joining.Root{Account: account, AccessKey: k.AccessKey, SecretKey: k.SecretKey})
	}
	out.Sealing, err = m.sealing()
	return out, err
}

// sealing is the secret that records are sealed under, the same on every server.
func (m *membership) sealing() ([]byte, error) {
	return sealing.Ensure(m.settings.DataDir, func() ([]byte, error) {
		if m.authority == nil {
			return nil, nil
		}
		_, key, err := m.authority.Export()
		return key, err
	}, rand.Reader)
}

// peerPair is the certificate that the other members of the store see.
func (m *membership) peerPair() authority.KeyPair {
	return authority.KeyPairAt(m.settings.DataDir, "peer")
}

// certifyPeer makes that certificate anew. Those that share an etcd do not listen for each other.
func (m *membership) certifyPeer() error {
	var names []string
	if m.settings.PeerListen != "" {
		host, _, err := net.SplitHostPort(m.settings.PeerAddress)
		if err != nil {
			return fmt.Errorf("peer-address: %w", err)
		}
		names = append(names, host)
	}
	key, err := authority.NewKey()
	if err != nil {
		return err
	}
	der, err := m.authority.Certify(authority.Machine{Role: authority.ServerRole, ID: m.machine, Names: names}, &key.PublicKey, clock.Now())
	if err != nil {
		return err
	}
	return m.peerPair().Write(der, key, m.authority.Certificate())
}

// keepPeer renews it until ctx ends; the store reads it again for each connection.
func (m *membership) keepPeer(ctx context.Context) error {
	if !m.settings.SeveralServers() {
		return nil
	}
	t := time.NewTicker(authority.RenewAfter)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := m.certifyPeer(); err != nil {
				return err
			}
		}
	}
}

// peer is this server as a member of the store; nil for the only one, and for those that share an etcd.
func (m *membership) peer() (*etcd.Peer, error) {
	s := m.settings
	if !s.SeveralServers() {
		return nil, nil
	}
	if err := m.certifyPeer(); err != nil || s.SharesEtcd() {
		return nil, err
	}
	pair := m.peerPair()
	p := &etcd.Peer{
		Name: m.name, Listen: s.PeerListen, Address: s.PeerAddress,
		CertFile: pair.File, KeyFile: pair.File, CAFile: pair.CA, CommonName: string(authority.ServerRole),
	}
	if m.joined.First {
		return p, nil
	}
	p.Join = func(ctx context.Context) (map[string]string, error) {
		others, err := client.NewFleet(s.DataDir, s.Servers(), m.program, m.log)
		if err != nil {
			return nil, err
		}
		return others.AddMember(ctx, m.name, s.PeerAddress)
	}
	return p, nil
}

// announce says where this server is; loops of servers that are gone are not needed for it: each writes its own.
func (m *membership) announce(ctx context.Context, s store.Store) error {
	at := m.settings.AgentEndpoint()
	if at == "" {
		return nil
	}
	address := strings.TrimPrefix(at, "https://")
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "443")
	}
	place := joining.Place{Name: m.name, Address: address, Machine: m.machine, Version: m.program.Version, Level: m.program.Level}
	if err := m.record(ctx, s); err != nil {
		return err
	}
	if m.settings.SharesEtcd() {
		return m.settle(ctx, s, place)
	}
	return s.Update(ctx, func(tx store.Tx) error { return tables.Settle(tx, place) })
}

// record makes the first server one of the machines, as those are that joined it. An etcd that is shared lets a removed one in again, so it is
// recorded once; one that keeps the store itself was not removed while it can open it, and its records may come of a backup.
func (m *membership) record(ctx context.Context, s store.Store) error {
	if !m.joined.First || m.joined.Recorded && m.settings.SharesEtcd() {
		return nil
	}
	err := s.Update(ctx, func(tx store.Tx) error {
		if _, ok := tables.Machines.Get(tx, store.Installation().Key(m.machine)); !ok {
			tables.Machines.Put(tx, &joining.Machine{ID: m.machine, Role: joining.Server, Name: m.name, Joined: tx.Now()})
		}
		return nil
	})
	if err != nil || m.joined.Recorded {
		return err
	}
	return client.Record(m.settings.DataDir, m.joined)
}

// serving is the TLS endpoint's configuration: who asks for a server of the installation by name gets a certificate of its authority, everybody
// else the one that was configured. Machines show theirs.
func (m *membership) serving(configured func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	own := m.authority.Issue(append([]string{authority.ServerName}, m.settings.AgentNames...), clock.Now).Get
	return &tls.Config{
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if h.ServerName == authority.ServerName {
				return own(h)
			}
			return configured(h)
		},
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: m.authority.Pool(),
		MinVersion: tls.VersionTLS12, Time: clock.Now,
		NextProtos: []string{"http/1.1"}, // the agents' web sockets begin as an upgrade, which HTTP/2 has not
	}
}

func etcdDir(s config.Settings) string { return filepath.Join(s.DataDir, "etcd") }

// keyring opens the private keys of certificates, on every server of the installation.
func (m *membership) keyring() (*acm.Keyring, error) {
	secret, err := m.sealing()
	if err != nil {
		return nil, err
	}
	return acm.NewKeyring(secret)
}
