package etcd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/store/storetest"
)

// certificates is an authority of a test's own, and what it certifies.
type certificates struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newCertificates(tb testing.TB) *certificates {
	tb.Helper()
	c := &certificates{dir: tb.TempDir()}
	c.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	c.key = c.issue(tb, "ca", c.cert)
	return c
}

func (c *certificates) file(name string) string { return filepath.Join(c.dir, name) }

// issue writes NAME.pem and NAME.key, certified by the authority.
func (c *certificates) issue(tb testing.TB, name string, template *x509.Certificate) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	signer := c.key
	if signer == nil {
		signer = key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, c.cert, &key.PublicKey, signer)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: raw}, name + ".key": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(c.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return key
}

// for127 certifies commonName for 127.0.0.1.
func (c *certificates) for127(tb testing.TB, name, commonName string) {
	tb.Helper()
	c.n++
	c.issue(tb, name, &x509.Certificate{
		SerialNumber: big.NewInt(1 + c.n), Subject: pkix.Name{CommonName: commonName}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
}

const memberName = "a berth server"

// peer is a member on a port of its own.
func (c *certificates) peer(tb testing.TB, name string) *etcd.Peer {
	tb.Helper()
	c.for127(tb, name, memberName)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return &etcd.Peer{
		Name: name, Listen: l.Addr().String(), CommonName: memberName,
		CertFile: c.file(name + ".pem"), KeyFile: c.file(name + ".key"), CAFile: c.file("ca.pem"),
	}
}

// threeSpace is a cluster of three. Two of them are servers of the suite, the third is bare and lets further ones in through its socket.
type threeSpace struct {
	dir   string
	peers []*etcd.Peer
	all   []*etcd.Store
}

// chosen is a member that leads when it is told to: the suite lets one server alone lead.
type chosen struct {
	*etcd.Store
	name  string
	space *threeSpace
}

func (c *chosen) Lead(ctx context.Context, run func(context.Context, store.Store) error) error {
	for _, s := range c.space.all {
		if err := s.Resign(ctx, c.name); err != nil {
			return err
		}
	}
	return c.Store.Lead(ctx, run)
}

func newThree(tb testing.TB) storetest.Space {
	tb.Helper()
	s, c := &threeSpace{dir: socketDir(tb)}, newCertificates(tb)
	members := map[string]string{}
	for _, name := range []string{"a", "b", "c"} {
		p := c.peer(tb, name)
		p.Members, members[name] = members, p.Listen
		s.peers = append(s.peers, p)
	}
	ec, err := etcd.EmbedConfig(etcd.Config{DataDir: filepath.Join(s.dir, "c"), Socket: s.socket(), Peer: s.peers[2]})
	if err != nil {
		tb.Fatal(err)
	}
	third, err := embed.StartEtcd(ec)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	resigning := make(chan struct{})
	go func() { defer close(resigning); neverLead(ctx, third) }()
	tb.Cleanup(func() { cancel(); <-resigning; third.Close() })
	return s
}

// neverLead hands leadership to member a as soon as it is there: a bare etcd runs nothing that could use it.
func neverLead(ctx context.Context, e *embed.Etcd) {
	self := e.Server.MemberID()
	for ctx.Err() == nil {
		changed := e.Server.LeaderChangedNotify()
		if e.Server.Leader() != self {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		for _, m := range e.Server.Cluster().Members() {
			if m.Name == "a" {
				_ = e.Server.MoveLeader(ctx, uint64(self), uint64(m.ID)) // until it has begun it fails, after a moment
			}
		}
	}
}

func (s *threeSpace) socket() string { return filepath.Join(s.dir, "s") }

func (s *threeSpace) Server(tb testing.TB, schema store.Schema, o store.Options) store.Store {
	tb.Helper()
	c := etcd.Config{Schema: schema, Now: o.Now, NewID: o.NewID}
	if len(s.peers) == 1 {
		c.Endpoints = []string{"unix://" + s.socket()}
		return open(tb, c)
	}
	c.Peer, s.peers = s.peers[0], s.peers[1:]
	c.DataDir = filepath.Join(s.dir, c.Peer.Name)
	m := &chosen{open(tb, c), c.Peer.Name, s}
	s.all = append(s.all, m.Store)
	return m
}

func (s *threeSpace) Depose(tb testing.TB) {
	tb.Helper()
	depose(tb, "unix://"+s.socket(), "berth")
}

func TestConformanceOfThree(t *testing.T) {
	if os.Getenv("BERTH_TEST_LONG") == "" {
		t.Skip("three etcds for each check: make nightly runs it; the tests below it run always")
	}
	storetest.Run(t, storetest.HarnessFunc(newThree))
}

// joining has a new member let in by one that runs.
func joining(p *etcd.Peer, by *etcd.Store) *etcd.Peer {
	p.Join = func(ctx context.Context) (map[string]string, error) { return by.AddMember(ctx, p.Name, p.Listen) }
	return p
}

func openMember(t *testing.T, dir string, p *etcd.Peer) *etcd.Store {
	t.Helper()
	s := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, p.Name), Peer: p})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func shut(t *testing.T, s *etcd.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// names says who the members are: voters as they are called, others with a question mark.
func names(t *testing.T, s *etcd.Store) string {
	t.Helper()
	all, err := s.Members()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range all {
		if !m.Voter {
			m.Name += "?"
		}
		out = append(out, m.Name)
	}
	return strings.Join(out, " ")
}

func TestOneBecomesThreeAndLosesOne(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	alone := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "a")})
	write(t, alone, "while alone", 1)
	shut(t, alone)

	a := openMember(t, dir, certs.peer(t, "a"))
	first := names(t, a)
	b := openMember(t, dir, joining(certs.peer(t, "b"), a))
	c := openMember(t, dir, joining(certs.peer(t, "c"), b))
	if got := names(t, c); got != first+" b c" {
		t.Fatalf("members %s", got)
	}
	for n, s := range []*etcd.Store{c, a, b} {
		write(t, s, fmt.Sprint("by ", n), 1)
		for at, reader := range []*etcd.Store{a, b, c} {
			if got := count(t, reader); got != n+2 {
				t.Errorf("after %d writes server %d answers %d records", n+2, at, got)
			}
		}
	}

	if _, err := c.AddMember(t.Context(), "b", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "remove it first") {
		t.Errorf("a second member b: %v", err)
	}
	if err := c.RemoveMember(t.Context(), "nobody"); !errors.Is(err, etcd.ErrUnknownMember) {
		t.Errorf("remove nobody: %v", err)
	}

	// b's machine is lost, with its disk.
	shut(t, b)
	write(t, a, "without b", 1)
	if err := c.RemoveMember(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	b = openMember(t, dir, joining(certs.peer(t, "b"), c))
	if got := count(t, b); got != 5 || names(t, a) != first+" b c" {
		t.Errorf("the new b has %d records; members %s", got, names(t, a))
	}
}

// Records are found under whatever name their first server gave them: names are each machine's own.
func TestServersOfOtherNamesHaveTheSameRecords(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	named := func(name string, p *etcd.Peer) etcd.Config {
		return etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, p.Name), Peer: p, Name: name}
	}
	a := open(t, named("first", certs.peer(t, "a")))
	write(t, a, "of the first", 1)
	b := open(t, named("second", joining(certs.peer(t, "b"), a)))
	t.Cleanup(func() { _ = b.Close() })
	write(t, b, "of the second", 1)
	if got, other := count(t, a), count(t, b); got != 2 || other != 2 {
		t.Errorf("one has %d records, the other %d", got, other)
	}
	var backup bytes.Buffer
	if err := a.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	shut(t, a)
	file, third := filepath.Join(dir, "backup"), named("third", certs.peer(t, "c"))
	if err := os.WriteFile(file, backup.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := etcd.Restore(third, file); err != nil {
		t.Fatal(err)
	}
	c := open(t, third)
	t.Cleanup(func() { _ = c.Close() })
	if got := count(t, c); got != 2 {
		t.Errorf("what was restored under another name has %d records", got)
	}
}

func TestAMemberMayMove(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	b := openMember(t, dir, joining(certs.peer(t, "b"), a))
	c := openMember(t, dir, joining(certs.peer(t, "c"), a))
	shut(t, b)
	write(t, c, "while b is away", 1)
	moved := certs.peer(t, "b")
	b = openMember(t, dir, moved)
	all, err := a.Members()
	if err != nil || all[1].Address != moved.Listen || count(t, b) != 1 {
		t.Errorf("members %+v (%v), b has %d records", all, err, count(t, b))
	}
}

// Who holds a certificate of the authority, but not a server's, is no member.
func TestStrangersAreNoPeers(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	p := certs.peer(t, "a")
	openMember(t, dir, p)
	certs.for127(t, "node", "a berth node")
	certs.for127(t, "b", memberName)
	for name, good := range map[string]bool{"node": false, "b": true} {
		cert, err := tls.LoadX509KeyPair(certs.file(name+".pem"), certs.file(name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := shake(p.Listen, &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true}); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := shake(p.Listen, &tls.Config{InsecureSkipVerify: true}); err == nil {
		t.Error("somebody without a certificate is let in")
	}
	if _, err := etcd.Open(t.Context(), etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "node"), Peer: &etcd.Peer{
		Name: "node", Listen: "127.0.0.1:1", CommonName: memberName, CertFile: certs.file("node.pem"), KeyFile: certs.file("node.key"), CAFile: certs.file("ca.pem"),
	}}); err == nil || !strings.Contains(err.Error(), "a berth node") {
		t.Errorf("a node's certificate for a server: %v", err)
	}
}

// shake connects, and learns whether the other took our certificate: TLS 1.3 says so with the first answer only.
func shake(address string, c *tls.Config) error {
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /version HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

func TestTheNextMemberLeads(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	b := openMember(t, dir, joining(certs.peer(t, "b"), a))
	c := openMember(t, dir, joining(certs.peer(t, "c"), a))
	type term struct {
		of     *etcd.Store
		leader store.Store
	}
	led := make(chan term, 3)
	for _, s := range []*etcd.Store{a, b, c} {
		go func() {
			_ = s.Lead(t.Context(), func(ctx context.Context, leader store.Store) error {
				led <- term{s, leader}
				<-ctx.Done()
				return nil
			})
		}()
	}
	put := func(s store.Store, name string) error {
		return s.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: name, N: 1}); return nil })
	}
	first := <-led
	if err := put(first.leader, "by the first"); err != nil {
		t.Fatal(err)
	}
	shut(t, first.of)
	second := <-led
	if second.of == first.of {
		t.Fatal("who ended leads")
	}
	if err := put(second.leader, "by the second"); err != nil {
		t.Fatal(err)
	}
	if err := put(first.leader, "by the first again"); err == nil {
		t.Error("the first leader still writes")
	}
	if got := count(t, second.of); got != 2 {
		t.Errorf("%d records", got)
	}
}
