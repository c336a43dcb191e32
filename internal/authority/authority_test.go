package authority

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func TestEnsureMakesOneAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Ensure(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Ensure(dir, noon.Add(time.Hour))
	if err != nil || !again.cert.Equal(first.cert) {
		t.Errorf("another authority after a restart (%v)", err)
	}
	if info, err := os.Stat(keyPath(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode: %v %v", info.Mode(), err)
	}
}

func TestEnsureReplacesNothing(t *testing.T) {
	for what, spoil := range map[string]func(dir string){
		"key is lost":    func(dir string) { _ = os.Remove(keyPath(dir)) },
		"another's key":  func(dir string) { other, _ := create(noon, nil); _ = other.write(dir); _ = rename(dir) },
		"no certificate": func(dir string) { _ = os.WriteFile(Path(dir), []byte("x"), 0o600) },
		"no key":         func(dir string) { _ = os.WriteFile(keyPath(dir), []byte("x"), 0o600) },
		"it has ended":   nil,
	} {
		t.Run(what, func(t *testing.T) {
			dir, now := t.TempDir(), noon
			if _, err := Ensure(dir, noon); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(Path(dir)+".old", mustRead(t, Path(dir)), 0o600); err != nil {
				t.Fatal(err)
			}
			if spoil == nil {
				now = noon.Add(lifetime + time.Hour)
			} else {
				spoil(dir)
			}
			if _, err := Ensure(dir, now); err == nil || !strings.Contains(err.Error(), "agent-ca") {
				t.Errorf("Ensure: %v", err)
			}
		})
	}
}

// rename puts the certificate of before beside a newer key.
func rename(dir string) error { return os.Rename(Path(dir)+".old", Path(dir)) }

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The certificate is made in two steps; a crash between them leaves a key that nobody has seen. If somebody has, because the certificate was
// lost, the new one is of the same key: who trusts the old one need not be told.
func TestEnsureMakesALostCertificateAgain(t *testing.T) {
	dir := t.TempDir()
	old, err := Ensure(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(Path(dir)); err != nil {
		t.Fatal(err)
	}
	a, err := Ensure(dir, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(old.cert)
	clock := func() time.Time { return noon.Add(time.Hour) }
	if err := handshake(a.Issue([]string{"server.example"}, clock).Get, &tls.Config{RootCAs: roots, ServerName: "server.example", Time: clock}); err != nil {
		t.Error(err)
	}
}

// handshake is a real client that verifies name against roots.
func handshake(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), c *tls.Config) error {
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		s := tls.Server(b, &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12})
		_ = s.Handshake()
		_ = s.Close()
	}()
	client := tls.Client(a, c)
	if err := client.Handshake(); err != nil {
		return err
	}
	_, err := client.Read(make([]byte, 1))
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func TestIssuedIsForItsNamesOnly(t *testing.T) {
	a, err := create(noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	clock := func() time.Time { return noon }
	get := a.Issue([]string{"10.0.0.5", "fd00::5", "agents.example.test"}, clock).Get
	// What the ECS agent offers below TLS 1.3.
	agents := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
	for name, good := range map[string]bool{
		"10.0.0.5": true, "fd00::5": true, "agents.example.test": true,
		"10.0.0.6": false, "other.example.test": false, "10.0.0.5:443": false, // the agent's own trap
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			err := handshake(get, &tls.Config{RootCAs: roots, ServerName: name, Time: clock, MaxVersion: version, CipherSuites: agents})
			if (err == nil) != good {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if handshake(get, &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "10.0.0.5", Time: clock}) == nil {
		t.Error("trusted without its authority")
	}
}

func TestIssuedIsRenewedInTime(t *testing.T) {
	a, err := create(noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	i := a.Issue([]string{"localhost"}, func() time.Time { return now })
	first, _ := i.Get(nil)
	now = noon.Add(served / 2)
	if half, _ := i.Get(nil); half != first {
		t.Error("renewed at half of its time")
	}
	now = noon.Add(served - 10*24*time.Hour)
	late, err := i.Get(nil)
	if err != nil || late == first || !late.Leaf.NotAfter.After(now.Add(served-time.Hour)) {
		t.Errorf("not renewed (%v)", err)
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if _, err := Load(cert, key); err == nil {
		t.Error("loaded what is not there")
	}
	put := func(changed time.Time) *x509.Certificate {
		t.Helper()
		a, err := create(noon, nil)
		if err != nil {
			t.Fatal(err)
		}
		der, _ := x509.MarshalPKCS8PrivateKey(a.key)
		_ = os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
		_ = os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600)
		_ = os.Chtimes(cert, changed, changed)
		return a.cert
	}
	is := func(f *Files, want *x509.Certificate) {
		t.Helper()
		got, err := f.Get(nil)
		if err != nil || !got.Leaf.Equal(want) {
			t.Errorf("the certificate: %v", err)
		}
	}
	first := put(noon)
	f, err := Load(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	is(f, first)
	second := put(noon.Add(time.Hour))
	is(f, second)
	_ = os.WriteFile(key, []byte("half"), 0o600)
	_ = os.Chtimes(cert, noon.Add(2*time.Hour), noon.Add(2*time.Hour))
	is(f, second)
}
