package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Endpoint is how a machine names its servers: the connection goes to any of them.
const Endpoint = "https://" + authority.ServerName

// Fleet is the servers, as a machine that joined reaches them. It is safe for concurrent use.
type Fleet struct {
	dataDir string
	log     *slog.Logger
	client  *http.Client

	mu      sync.Mutex
	servers []string // host:port; the first is who answered last
	pass    joining.Pass
	cert    *tls.Certificate
	told    map[string]time.Duration // by server: how far this machine's clock is ahead of its, as it was logged last
	renewed chan struct{}            // closed when there are keys for the first time
	denied  chan struct{}            // somebody was refused: the keys may be known no more
}

// NewFleet reaches the servers of a machine that joined: those that were given and those that were heard of.
func NewFleet(dataDir string, servers []string, p release.Program, log *slog.Logger) (*Fleet, error) {
	f := &Fleet{
		dataDir: dataDir, log: log, told: map[string]time.Duration{}, renewed: make(chan struct{}), denied: make(chan struct{}, 1),
	}
	for _, s := range servers {
		at, err := address(s)
		if err != nil {
			return nil, err
		}
		f.servers = append(f.servers, at)
	}
	f.hear(f.heard())
	if err := f.reload(); err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(Pair(dataDir).CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", Pair(dataDir).CA)
	}
	transport := &http.Transport{
		DialContext: f.dial, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 8,
		TLSClientConfig: &tls.Config{
			RootCAs: roots, ServerName: authority.ServerName, MinVersion: tls.VersionTLS12, Time: clock.Now,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return f.certificate(), nil },
		},
	}
	f.client = &http.Client{Transport: Saying(p, failover{f, transport})}
	return f, nil
}

// HTTP is a client whose every request goes to a server of the installation, whatever host it names.
func (f *Fleet) HTTP() *http.Client { return f.client }

// cannot are answers of a server that another may not give: it is without the others, or its program is too far from this one.
var cannot = []int{http.StatusServiceUnavailable, http.StatusUpgradeRequired}

// failover leaves a server that says that it cannot, or whose clock no signature of this machine is good for.
type failover struct {
	fleet *Fleet
	*http.Transport
}

// RoundTrip implements http.RoundTripper.
func (o failover) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" { // endpoints that a server tells are as its own clients reach it
		r = r.Clone(r.Context())
		r.URL.Scheme = "https"
	}
	resp, err := o.Transport.RoundTrip(r)
	if err == nil && (o.fleet.compare(resp) || slices.Contains(cannot, resp.StatusCode)) || err != nil && r.Context().Err() == nil {
		o.fleet.leave()
		o.CloseIdleConnections()
	}
	if err == nil && resp.StatusCode == http.StatusForbidden {
		select {
		case o.fleet.denied <- struct{}{}:
		default:
		}
	}
	return resp, err
}

// dialPatience is how long one server has to take a connection before the next is tried.
const dialPatience = 2 * time.Second

func (f *Fleet) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var errs []error
	for _, at := range f.all() {
		one, cancel := context.WithTimeout(ctx, dialPatience)
		c, err := (&net.Dialer{KeepAlive: 10 * time.Second}).DialContext(one, network, at)
		cancel()
		if err == nil {
			f.prefer(at)
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (f *Fleet) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.servers)
}

// prefer makes a server the first.
func (f *Fleet) prefer(at string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = append([]string{at}, slices.DeleteFunc(f.servers, func(s string) bool { return s == at })...)
}

// leave makes the first server the last.
func (f *Fleet) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers = append(f.servers[1:], f.servers[0])
}

func (f *Fleet) heardPath() string { return filepath.Join(f.dataDir, "servers.json") }

// heard are the servers that were told of last.
func (f *Fleet) heard() []joining.Place {
	var places []joining.Place
	data, err := os.ReadFile(f.heardPath())
	if err == nil {
		err = json.Unmarshal(data, &places)
	}
	if err != nil {
		return nil // those that were given have to do
	}
	return places
}

// hear takes servers that were told of. Those that were given stay at the end.
func (f *Fleet) hear(places []joining.Place) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range places {
		if p.Address != "" && !slices.Contains(f.servers, p.Address) {
			f.servers = append(f.servers, p.Address)
		}
	}
}

func (f *Fleet) certificate() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cert
}

func (f *Fleet) reload() error {
	c, err := Pair(f.dataDir).Load()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cert = c
	return nil
}

// Credentials sign the node's requests. They are empty until the first came, and when they have ended.
func (f *Fleet) Credentials() sigv4.Credentials {
	f.mu.Lock()
	defer f.mu.Unlock()
	return sigv4.Credentials{AccessKey: f.pass.AccessKey, Secret: f.pass.Secret, SessionToken: f.pass.Token}
}

// Ready is closed when there are credentials.
func (f *Fleet) Ready() <-chan struct{} { return f.renewed }

// Waits of Run.
const (
	lookAgain  = 10 * time.Minute // for servers that came or went
	tryAgain   = time.Second
	tryAtMost  = 5 * time.Second
	passMargin = joining.PassLife / 2
	passLeast  = 2 * time.Second // between two keys, whoever is refused
)

// Run keeps a node's keys and certificate young until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	wait := tryAgain
	for {
		asked := time.Now()
		err := f.refresh(ctx)
		pause := lookAgain
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is meant to end
			}
			f.log.Warn("the servers give no keys", "error", err)
			pause, wait = wait, min(2*wait, tryAtMost)
		} else {
			wait = tryAgain
		}
		select {
		case <-time.After(pause):
		case <-f.denied:
			f.doubt()
			select {
			case <-time.After(passLeast - time.Since(asked)):
			case <-ctx.Done():
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// doubt has other keys be asked for: a region that was made anew of a backup knows those of before no more.
func (f *Fleet) doubt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pass.Expires = time.Time{}
}

// refresh does what is due.
func (f *Fleet) refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := f.renew(ctx); err != nil {
		return fmt.Errorf("renew the certificate: %w", err)
	}
	f.mu.Lock()
	due := time.Until(f.pass.Expires) < passMargin
	f.mu.Unlock()
	if due {
		if err := f.newPass(ctx); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	return f.look(ctx)
}

func (f *Fleet) newPass(ctx context.Context) error {
	var p joining.Pass
	if err := post(ctx, f.client, Endpoint+joining.PassPath, struct{}{}, &p); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.pass.AccessKey == ""
	f.pass = p
	f.pass.Expires = time.Now().Add(joining.PassLife) // by this machine's clock
	if first {
		close(f.renewed)
	}
	return nil
}

// renew asks for the next certificate when the present one has lived a third of its life.
func (f *Fleet) renew(ctx context.Context) error {
	leaf := f.certificate().Leaf
	if clock.Now().Sub(leaf.NotBefore) < authority.RenewAfter {
		return nil
	}
	key, csr, err := newRequest("")
	if err != nil {
		return err
	}
	var next joining.RenewAnswer
	if err := post(ctx, f.client, Endpoint+joining.RenewPath, joining.RenewRequest{Request: csr}, &next); err != nil {
		return err
	}
	ca, err := f.authority()
	if err != nil {
		return err
	}
	if err := Pair(f.dataDir).Write(next.Certificate, key, ca); err != nil {
		return err
	}
	return f.reload()
}

func (f *Fleet) authority() (*x509.Certificate, error) {
	data, err := os.ReadFile(Pair(f.dataDir).CA)
	if err != nil {
		return nil, err
	}
	return authority.ParsePEM(data)
}

// look hears of the servers that there are.
func (f *Fleet) look(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, Endpoint+joining.PlacesPath, nil)
	if err != nil {
		return err
	}
	var places []joining.Place
	if err := do(f.client, r, &places); err != nil {
		return fmt.Errorf("where the servers are: %w", err)
	}
	f.hear(places)
	return store(f.heardPath(), places)
}

// AddMember asks to become one of the servers that keep the store; the answer is all of them, addresses by name.
func (f *Fleet) AddMember(ctx context.Context, name, at string) (map[string]string, error) {
	var out joining.MemberAnswer
	err := post(ctx, f.client, Endpoint+joining.MembersPath, joining.MemberRequest{Name: name, Address: at}, &out)
	return out.Members, err
}
