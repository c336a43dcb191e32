package hosts_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

// secrets: a certificate's key is served with, and is nowhere in the clear where it could be read later: no log, no answer of Envoy's administration, no file of
// the directories that outlive a machine's start, the server's store among them.
func (b *balanced) secrets() {
	t := b.t
	t.Helper()
	key, certificate := keyPair(t)
	block, _ := pem.Decode(key)
	var made struct{ CertificateArn string }
	k := b.server.Keys()
	acm := installation.CloudMap{HTTP: b.server.HTTP(), Endpoint: hosts.Endpoint, AccessKey: k.AccessKey, SecretKey: k.SecretKey}
	if err := acm.AskACM(t.Context(), "ImportCertificate", map[string]any{"Certificate": certificate, "PrivateKey": key}, &made); err != nil {
		t.Fatal(err)
	}
	b.elb("CreateListener", "LoadBalancerArn", b.balancer, "Protocol", "HTTPS", "Port", "443", "Certificates.member.1.CertificateArn", made.CertificateArn,
		"DefaultActions.member.1.Type", "forward", "DefaultActions.member.1.TargetGroupArn", b.group)
	at := b.whole("with HTTPS")[1].Address
	installation.Eventually(t, "HTTPS to be served", func(ctx context.Context) error { return b.handshake(ctx, at, certificate) })

	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	scalar := private.(*ecdsa.PrivateKey).D.FillBytes(make([]byte, 32))
	looks := map[string][]byte{"the key itself": scalar, "its number, in base64": []byte(base64.StdEncoding.EncodeToString(scalar))}
	// The number is in the first two lines of three; what follows is the public key, which the certificate has too.
	for n, line := range bytes.Split(key, []byte("\n"))[1:3] {
		looks[fmt.Sprintf("line %d of its PEM", n+1)] = line
	}
	looks["its PEM, in base64"] = []byte(base64.StdEncoding.EncodeToString(key)[60:140])
	dump := b.configDump()
	if !strings.Contains(dump, "inline_bytes") && !strings.Contains(dump, "certificate_chain") {
		t.Errorf("the dump of Envoy's configuration has no certificate: %.2000s", dump)
	}
	found(t, "the dump of Envoy's configuration", []byte(dump), looks)
	for _, h := range []*hosts.Host{b.server, b.second} {
		for _, r := range []hosts.Role{hosts.Server, hosts.Node} {
			found(t, fmt.Sprintf("the log of %s's %s", h.Name, r), []byte(h.Log(r)), looks)
		}
		files := 0
		err := filepath.WalkDir(h.DataDir(), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || strings.Contains(path, "/containerd/") {
				return nil //nolint:nilerr // what is gone has no key
			}
			text, err := os.ReadFile(path)
			files++
			found(t, path, text, looks)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		})
		if err != nil || files == 0 {
			t.Errorf("%s: %d files were read: %v", h.DataDir(), files, err)
		}
	}
}

// found complains of what looks like a key.
func found(t interface{ Errorf(string, ...any) }, where string, text []byte, looks map[string][]byte) {
	for what, l := range looks {
		if bytes.Contains(text, l) {
			t.Errorf("%s has %s", where, what)
		}
	}
}

// keyPair is a key and its certificate, as PEM.
func keyPair(t interface{ Fatal(...any) }) (key, certificate []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web.test"}, DNSNames: []string{"web.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// handshake is one with a node of the load balancer that proves to have the certificate's key.
func (b *balanced) handshake(ctx context.Context, at string, certificate []byte) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	var plain net.Conn
	err := b.inside(func() (err error) {
		plain, err = (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "tcp", at+":443")
		return err
	})
	if err != nil {
		return err
	}
	defer plain.Close()
	return tls.Client(plain, &tls.Config{RootCAs: pool, ServerName: "web.test"}).HandshakeContext(ctx)
}

// configDump is what the Envoy of the second zone says of its configuration.
func (b *balanced) configDump() string {
	b.t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(b.second.RunDir(), "proxy", "admin.sock"))
	}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://envoy/config_dump?include_eds", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}
