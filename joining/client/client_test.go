package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
	"github.com/berth-ecs/berth/joining/joinapi"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire/sigv4"
)

var quiet = slog.New(slog.DiscardHandler)

// keepers is the store's servers, of which a test has none.
type keepers struct{ added []string }

func (k *keepers) AddMember(_ context.Context, name, at string) (map[string]string, error) {
	k.added = append(k.added, name+" "+at)
	return map[string]string{"first": "192.0.2.1:1", name: at}, nil
}
func (k *keepers) RemoveMember(context.Context, string) error { return errors.New("last member") }
func (k *keepers) States(context.Context) ([]joining.ServerState, error) {
	return []joining.ServerState{{Name: "first", Voter: true, Leader: true}}, nil
}
func (k *keepers) Backup(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "a copy")
	return err
}

// installation is one with a server or more on loopback.
type installation struct {
	t         *testing.T
	store     *mem.Store
	authority *authority.Authority
	keepers   keepers
	now       time.Time
	operator  string // the principal that signs
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, now: time.Now(), operator: "arn:aws:iam::000000000000:root"}
	i.store = mem.Open(tables.Schema(), mem.Options{Now: func() time.Time { return i.now }})
	t.Cleanup(func() { _ = i.store.Close() })
	var err error
	if i.authority, err = authority.Ensure(t.TempDir(), time.Now()); err != nil {
		t.Fatal(err)
	}
	return i
}

// api answers as one of the servers at endpoint.
func (i *installation) api(endpoint string) *joinapi.API {
	return joinapi.New(joinapi.Config{
		Store: i.store, Authority: i.authority, Members: &i.keepers, Accounts: []string{"000000000000"}, Endpoint: endpoint, Log: quiet,
		Verify: func(*http.Request, []byte) (sigv4.Identity, error) {
			return sigv4.Identity{Key: sigv4.Key{Account: "000000000000", Principal: i.operator}, Scope: sigv4.Scope{Region: "us-east-1"}}, nil
		},
		Secrets: func() (joining.Secrets, error) {
			cert, key, err := i.authority.Export()
			return joining.Secrets{Authority: cert, AuthorityKey: key, Roots: []joining.Root{{Account: "000000000000", AccessKey: "AKIA", SecretKey: "s"}}}, err
		},
		Now: func() time.Time { return i.now },
	})
}

// serve starts a server whose other pages extra answers.
func (i *installation) serve(extra http.HandlerFunc) *httptest.Server {
	i.t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.TLS = &tls.Config{
		GetCertificate: i.authority.Issue([]string{"127.0.0.1", authority.ServerName}, time.Now).Get,
		ClientAuth:     tls.VerifyClientCertIfGiven, ClientCAs: i.authority.Pool(), NextProtos: []string{"http/1.1"},
	}
	s.StartTLS()
	i.t.Cleanup(s.Close)
	api := i.api(s.URL)
	api.Machines(mux)
	api.Operators(mux)
	if extra != nil {
		mux.HandleFunc("/", extra)
	}
	return s
}

// ticket has an operator make one.
func (i *installation) ticket(role joining.Role, life time.Duration) string {
	i.t.Helper()
	mux := http.NewServeMux()
	i.api("https://192.0.2.1:1").Operators(mux)
	var out joining.TicketAnswer
	body := fmt.Sprintf(`{"Role":%q,"Seconds":%d}`, role, int(life.Seconds()))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(i.t.Context(), http.MethodPost, joining.TicketsPath, strings.NewReader(body)))
	if w.Code != http.StatusOK {
		i.t.Fatalf("ticket: %d %s", w.Code, w.Body)
	}
	decode(i.t, w.Body, &out)
	return out.Ticket
}

func TestANodeJoinsAndAsks(t *testing.T) {
	i := newInstallation(t)
	var asked []string
	server := i.serve(func(w http.ResponseWriter, r *http.Request) {
		m, err := authority.Read(r.TLS.PeerCertificates[0])
		asked = append(asked, r.Host+" "+string(m.Role)+" "+m.ID)
		if err != nil {
			t.Error(err)
		}
	})
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute)}
	m, err := client.Join(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Home != (joining.Home{Account: "000000000000", Region: "us-east-1"}) || m.Role != joining.Node || m.Secrets != nil {
		t.Errorf("became %+v", m)
	}
	c.Ticket, c.Servers = "", nil
	if again, err := client.Join(t.Context(), c, nil); err != nil || again != m {
		t.Errorf("joined again: %+v (%v)", again, err)
	}

	f, err := client.NewFleet(c.DataDir, []string{server.URL}, release.This("test"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	run(t, f)
	<-f.Ready()
	keys := f.Credentials()
	err = i.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		p, ok := tables.Good(tx, keys.AccessKey, i.now)
		if !ok || p.Secret != keys.Secret || p.Token != keys.SessionToken || p.Machine != m.Machine || p.Home != m.Home {
			t.Errorf("the node has keys %+v, the store %+v", keys, p)
		}
		if _, ok := tables.Good(tx, keys.AccessKey, i.now.Add(joining.PassLife)); ok {
			t.Error("keys last for ever")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := f.HTTP().Get("http://127.0.0.1:1/x") // as a server tells its own clients
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(asked) != 1 || asked[0] != "127.0.0.1:1 berth node "+m.Machine {
		t.Errorf("asked %q", asked)
	}

	if _, err := f.AddMember(t.Context(), "n1", "192.0.2.9:1"); err == nil || !strings.Contains(err.Error(), "only servers") {
		t.Errorf("a node keeps the store: %v", err)
	}
	update(t, i.store, func(tx store.Tx) { tables.Remove(tx, m.Machine) })
	err = i.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if _, ok := tables.Good(tx, keys.AccessKey, i.now); ok {
			t.Error("the keys of a machine that was removed are good")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddMember(t.Context(), "n1", "192.0.2.9:1"); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Errorf("a machine that was removed: %v", err)
	}
}

func run(t *testing.T, f *client.Fleet) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func update(t *testing.T, s store.Store, fn func(store.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestAServerJoins(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "s2", Ticket: i.ticket(joining.Server, time.Minute)}
	m, err := client.Join(t.Context(), c, func(m client.Membership) error {
		if len(m.Secrets.Roots) != 1 {
			t.Errorf("secrets %+v", m.Secrets)
		}
		return authority.Import(c.DataDir, m.Secrets.Authority, m.Secrets.AuthorityKey)
	})
	if err != nil || m.Role != joining.Server || m.Secrets != nil {
		t.Fatalf("became %+v (%v)", m, err)
	}
	own, err := authority.Ensure(c.DataDir, time.Now())
	if err != nil || !own.Certificate().Equal(i.authority.Certificate()) {
		t.Errorf("the new server has another authority (%v)", err)
	}
	f, err := client.NewFleet(c.DataDir, []string{server.URL}, release.This("test"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.AddMember(t.Context(), "s2", "192.0.2.2:1")
	if err != nil || got["first"] == "" || got["s2"] != "192.0.2.2:1" {
		t.Errorf("members %v (%v)", got, err)
	}
}

func TestWhoIsNotLetIn(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	good := i.ticket(joining.Node, time.Minute)
	other := newInstallation(t)
	stranger := other.serve(nil)
	join := func(at, ticket string) error {
		_, err := client.Join(t.Context(), client.Config{DataDir: t.TempDir(), Servers: []string{at}, Name: "n1", Ticket: ticket}, nil)
		return err
	}
	if err := join(stranger.URL, good); err == nil || !strings.Contains(err.Error(), "not a server of the installation") {
		t.Errorf("a ticket was shown to a stranger: %v", err)
	}
	if err := join(server.URL, other.ticket(joining.Node, time.Minute)); err == nil {
		t.Error("a ticket of another installation opens the door")
	}
	if err := join(server.URL, ""); err == nil || !strings.Contains(err.Error(), "berth ticket") {
		t.Errorf("no ticket: %v", err)
	}
	if err := join(server.URL, good); err != nil {
		t.Errorf("a good ticket: %v", err)
	}
	if err := join(server.URL, good); err == nil || !strings.Contains(err.Error(), "was used") {
		t.Errorf("a ticket that was used: %v", err)
	}
	late := i.ticket(joining.Node, time.Minute)
	i.now = i.now.Add(time.Minute + time.Second)
	if err := join(server.URL, late); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("a ticket that has ended: %v", err)
	}
	// Without a certificate nothing but the door answers; one that another authority made does not get so far.
	plain := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.authority.Pool(), ServerName: authority.ServerName}}}
	for _, path := range []string{joining.RenewPath, joining.PassPath, joining.MembersPath} {
		resp, err := plain.Post(server.URL+path, "", strings.NewReader("{}"))
		refusedTo(t, path+" without a certificate", resp, err)
	}
	i.operator = "arn:aws:sts::000000000000:assumed-role/berth-node/m1"
	for _, path := range []string{joining.FleetPath, joining.BackupPath} {
		resp, err := plain.Get(server.URL + path)
		refusedTo(t, path+" by a node", resp, err)
	}
}

// A server that is gone, or that cannot answer, costs time and nothing else.
func TestAnotherServerAnswers(t *testing.T) {
	i := newInstallation(t)
	sick := i.serve(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no leader", http.StatusServiceUnavailable)
	})
	well := i.serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	servers := []string{gone.Addr().String(), sick.URL, well.URL}
	c := client.Config{DataDir: t.TempDir(), Servers: servers, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute)}
	if _, err := client.Join(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	update(t, i.store, func(tx store.Tx) {
		tables.Places.Put(tx, &joining.Place{Name: "well", Address: strings.TrimPrefix(well.URL, "https://")})
	})
	f, err := client.NewFleet(c.DataDir, servers[:2], release.This("test"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	run(t, f)
	<-f.Ready()
	var text string
	for n := 0; text != "well" && n < 10; n++ { // it hears of the third in the same round that gave it keys
		resp, err := f.HTTP().Get(client.Endpoint + "/x")
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		text = string(data)
	}
	if text != "well" {
		t.Errorf("answered %q", text)
	}
}

// What is signed by another authority is refused in the handshake.
func TestACertificateOfAnotherInstallation(t *testing.T) {
	i, other := newInstallation(t), newInstallation(t)
	server := i.serve(func(http.ResponseWriter, *http.Request) {})
	key, err := authority.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := other.authority.Certify(authority.Machine{Role: authority.NodeRole, ID: "m"}, &key.PublicKey, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: i.authority.Pool(), ServerName: authority.ServerName,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
		},
	}}}
	resp, err := c.Post(server.URL+joining.PassPath, "", nil)
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("answered %s", resp.Status)
	}
}

func refusedTo(t *testing.T, who string, resp *http.Response, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", who, err)
		return
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("%s: %s", who, resp.Status)
	}
}

// A removal that was cut off between the store's members and the records is finished by the next one.
func TestARemovalIsRepeatable(t *testing.T) {
	i := newInstallation(t)
	update(t, i.store, func(tx store.Tx) {
		for _, name := range []string{"first", "half"} { // the keepers know the first alone, and remove nobody
			tables.Places.Put(tx, &joining.Place{Name: name, Machine: "m-" + name})
			tables.Machines.Put(tx, &joining.Machine{ID: "m-" + name, Role: joining.Server})
		}
	})
	mux := http.NewServeMux()
	i.api("https://192.0.2.1:1").Operators(mux)
	for name, want := range map[string]int{"half": http.StatusOK, "first": http.StatusConflict, "nobody": http.StatusConflict} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, joining.FleetPath+"/server/"+name, nil))
		if w.Code != want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	err := i.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		_, half := tables.Known(tx, "m-half")
		_, first := tables.Known(tx, "m-first")
		if half || !first {
			t.Errorf("known: half %v, first %v", half, first)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
