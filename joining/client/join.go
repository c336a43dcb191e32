package client

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/internal/whole"
	"github.com/berth-ecs/berth/joining"
)

// Config is a machine that joins.
type Config struct {
	DataDir string   // required
	Servers []string // required: URLs or host:port of TLS endpoints, at least one
	Ticket  string   // required at the first start
	Name    string   // required: as the machine calls itself
	Program release.Program
}

// Membership is what a machine became by joining.
type Membership struct {
	Machine string // its id
	Role    joining.Role
	Home    joining.Home // of a node
	Secrets *joining.Secrets

	First    bool `json:",omitempty"` // it joined nobody: others joined it
	Recorded bool `json:",omitempty"` // of the first: the store knows it
}

// Where a data directory keeps it.
func membershipPath(dataDir string) string { return filepath.Join(dataDir, "machine.json") }

// Pair is the machine's certificate in its data directory.
func Pair(dataDir string) authority.KeyPair { return authority.KeyPairAt(dataDir, "machine") }

// Load answers what the machine became earlier; the error wraps fs.ErrNotExist when it has not joined.
func Load(dataDir string) (Membership, error) {
	var m Membership
	data, err := os.ReadFile(membershipPath(dataDir))
	if err != nil {
		return m, fmt.Errorf("membership: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("membership: %s: %w", membershipPath(dataDir), err)
	}
	return m, nil
}

// Begin makes the machine the first of an installation, under an id of its own.
func Begin(dataDir, id string) (Membership, error) {
	m := Membership{Machine: id, Role: joining.Server, First: true}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return m, err
	}
	return m, store(membershipPath(dataDir), m)
}

// Record says that the store knows the first machine.
func Record(dataDir string, m Membership) error {
	m.Recorded = true
	return store(membershipPath(dataDir), m)
}

// Join lets the machine in, unless it is in already; a node whose certificate has ended while it was off is let in again by a ticket, as who it was. keep is called with what it became before that counts: what it stores is there when
// the machine is in; optional.
func Join(ctx context.Context, c Config, keep func(Membership) error) (Membership, error) {
	m, err := Load(c.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !c.ended(m) {
		return m, err
	}
	if c.Ticket == "" {
		return m, errors.New("join: this machine is not part of an installation yet: a ticket is needed (berth ticket, on a server)")
	}
	ticket, err := joining.ParseTicket(c.Ticket)
	if err != nil {
		return m, fmt.Errorf("join: %w", err)
	}
	var errs []error
	for _, server := range c.Servers {
		m, err := joinAt(ctx, c, server, ticket, keep)
		if err == nil {
			return m, nil
		}
		errs = append(errs, fmt.Errorf("join: %s: %w", server, err))
		if _, ok := errors.AsType[refused](err); ok {
			break // the others would say the same
		}
	}
	return m, errors.Join(errs...)
}

func joinAt(ctx context.Context, c Config, server string, ticket joining.Ticket, keep func(Membership) error) (Membership, error) {
	var m Membership
	key, csr, err := c.request()
	if err != nil {
		return m, err
	}
	ca := &x509.Certificate{}
	transport := &http.Transport{TLSClientConfig: pinned(ticket.Authority, ca)}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: Saying(c.Program, transport), Timeout: 30 * time.Second}
	var answer joining.JoinAnswer
	in := joining.JoinRequest{Ticket: c.Ticket, Name: c.Name, Request: csr, Certificate: c.former()}
	if err := post(ctx, client, baseURL(server)+joining.JoinPath, in, &answer); err != nil {
		return m, err
	}
	if !bytes.Equal(answer.Authority, ca.Raw) {
		return m, errors.New("the server answers for another authority than its own")
	}
	m = Membership{Machine: answer.Machine, Role: answer.Role, Home: answer.Home, Secrets: answer.Secrets}
	if keep != nil {
		if err := keep(m); err != nil {
			return m, err
		}
	}
	m.Secrets = nil // they are kept elsewhere, if at all
	if err := Pair(c.DataDir).Write(answer.Certificate, key, ca); err != nil {
		return m, err
	}
	if err := store(membershipPath(c.DataDir), m); err != nil {
		return m, err
	}
	if err := os.Remove(joiningPath(c.DataDir)); !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	return m, nil
}

// ended tells whether a node's certificate has ended and a ticket is there for another.
func (c Config) ended(m Membership) bool {
	pair, err := Pair(c.DataDir).Load()
	return c.Ticket != "" && m.Role == joining.Node && err == nil && time.Now().After(pair.Leaf.NotAfter)
}

// former is the certificate of a node that is in already, nil for another.
func (c Config) former() []byte {
	pair, err := Pair(c.DataDir).Load()
	if _, no := Load(c.DataDir); err != nil || no != nil {
		return nil
	}
	return pair.Certificate[0]
}

// joiningPath is where the key is that a machine asks with until it is in: one that was killed before it kept the answer asks again with the same key, for
// which its ticket is good still.
func joiningPath(dataDir string) string { return filepath.Join(dataDir, "joining-key") }

func (c Config) request() (*ecdsa.PrivateKey, []byte, error) {
	if c.former() != nil { // it shows that it has that certificate's key
		pair, err := Pair(c.DataDir).Load()
		if err != nil {
			return nil, nil, err
		}
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok {
			return nil, nil, errors.New("join: the machine's key is not an ECDSA key")
		}
		csr, err := requestFor(c.Name, key)
		return key, csr, err
	}
	der, err := os.ReadFile(joiningPath(c.DataDir))
	if err == nil {
		if key, err := x509.ParseECPrivateKey(der); err == nil {
			csr, err := requestFor(c.Name, key)
			return key, csr, err
		}
	}
	key, csr, err := newRequest(c.Name)
	if err == nil {
		der, err = x509.MarshalECPrivateKey(key)
	}
	if err == nil {
		err = os.MkdirAll(c.DataDir, 0o700)
	}
	if err == nil {
		err = whole.Write(joiningPath(c.DataDir), der, 0o600)
	}
	return key, csr, err
}

// Saying has every request say which program asks.
func Saying(p release.Program, t http.RoundTripper) http.RoundTripper { return saying{p, t} }

type saying struct {
	program release.Program
	http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (s saying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(release.Header, s.program.String())
	return s.RoundTripper.RoundTrip(r)
}

func newRequest(name string) (*ecdsa.PrivateKey, []byte, error) {
	key, err := authority.NewKey()
	if err != nil {
		return nil, nil, err
	}
	csr, err := requestFor(name, key)
	return key, csr, err
}

func requestFor(name string, key *ecdsa.PrivateKey) ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
}

// pinned takes a server of the authority that has this fingerprint, whose certificate it puts into ca.
func pinned(authorityPrint [32]byte, ca *x509.Certificate) *tls.Config {
	return &tls.Config{
		ServerName: authority.ServerName, MinVersion: tls.VersionTLS12, Time: clock.Now,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies, by the fingerprint of the ticket
		VerifyConnection: func(s tls.ConnectionState) error {
			for _, c := range s.PeerCertificates[1:] {
				if authority.Print(c) != authorityPrint {
					continue
				}
				roots := x509.NewCertPool()
				roots.AddCert(c)
				if _, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: authority.ServerName, CurrentTime: clock.Now()}); err != nil {
					return err
				}
				*ca = *c
				return nil
			}
			return errors.New("this is not a server of the installation that made the ticket")
		},
	}
}

// refused is an answer that another server would give, too.
type refused struct {
	status int
	text   string
}

func (r refused) Error() string { return r.text }

// post sends in and reads out, both JSON.
func post(ctx context.Context, client *http.Client, at string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return do(client, r, out)
}

func do(client *http.Client, r *http.Request, out any) error {
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusUpgradeRequired: // another server may be another program
		return errors.New(strings.TrimSpace(string(data)))
	case resp.StatusCode != http.StatusOK:
		return refused{resp.StatusCode, strings.TrimSpace(string(data))}
	}
	return json.Unmarshal(data, out)
}

// baseURL makes the URL of a server given as URL or host:port.
func baseURL(server string) string {
	if !strings.Contains(server, "://") {
		server = "https://" + server
	}
	return strings.TrimSuffix(server, "/")
}

// address is the host:port of a server's URL.
func address(server string) (string, error) {
	u, err := url.Parse(baseURL(server))
	if err != nil {
		return "", err
	}
	if u.Scheme != "https" || u.Hostname() == "" {
		return "", fmt.Errorf("%q is not the URL of a TLS endpoint, such as https://192.0.2.7:4567", server)
	}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443"), nil
	}
	return u.Host, nil
}

// store writes v as JSON, complete or not at all.
func store(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return whole.Write(path, data, 0o600)
}
