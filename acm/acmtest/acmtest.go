// Package acmtest makes certificates for tests, as an authority would.
package acmtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/berth-ecs/berth/acm"
)

// Authority signs certificates.
type Authority struct {
	Cert *x509.Certificate
	key  crypto.Signer
	tb   testing.TB
}

// Of is what a certificate is to be; the zero value is one of ECDSA on P-256 for the next day that an authority signed.
type Of struct {
	Names  []string      // the first is its common name, too
	Key    crypto.Signer // optional
	From   time.Time     // optional; an hour ago
	Until  time.Time     // optional; in a day
	Change func(*x509.Certificate)
}

// NewKey makes a key of ECDSA.
func NewKey(tb testing.TB, curve elliptic.Curve) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// NewRSA makes a key of RSA.
func NewRSA(tb testing.TB, bits int) crypto.Signer {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func template(of Of) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte{1, byte(len(of.Names)), 3, 0xab}), NotBefore: of.From, NotAfter: of.Until,
		DNSNames: of.Names, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if len(of.Names) > 0 {
		t.Subject = pkix.Name{CommonName: of.Names[0]}
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = time.Now().Add(-time.Hour)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = time.Now().Add(24 * time.Hour)
	}
	if of.Change != nil {
		of.Change(t)
	}
	return t
}

func (a *Authority) sign(t *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
	a.tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, t, a.Cert, pub, a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return c
}

func authority(of Of, name string) Of {
	change := of.Change
	of.Names = nil
	of.Change = func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name, Organization: []string{"Tests"}}
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		if change != nil {
			change(c)
		}
	}
	return of
}

// New makes an authority that signed itself.
func New(tb testing.TB, of Of) *Authority {
	tb.Helper()
	if of.Key == nil {
		of.Key = NewKey(tb, elliptic.P256())
	}
	t := template(authority(of, "root of tests"))
	a := &Authority{Cert: t, key: of.Key, tb: tb}
	a.Cert = a.sign(t, of.Key.Public())
	return a
}

// Authority makes one that this one signed.
func (a *Authority) Authority(name string, of Of) *Authority {
	a.tb.Helper()
	if of.Key == nil {
		of.Key = NewKey(a.tb, elliptic.P256())
	}
	return &Authority{Cert: a.sign(template(authority(of, name)), of.Key.Public()), key: of.Key, tb: a.tb}
}

// Issue makes a certificate that is in a chain below this authority.
func (a *Authority) Issue(of Of) acm.Material {
	a.tb.Helper()
	if of.Key == nil {
		of.Key = NewKey(a.tb, elliptic.P256())
	}
	c := a.sign(template(of), of.Key.Public())
	return acm.Material{Body: PEM(c), Chain: PEM(a.Cert), Key: KeyPEM(a.tb, of.Key)}
}

// SelfSigned makes a certificate that nobody else signed.
func SelfSigned(tb testing.TB, of Of) acm.Material {
	tb.Helper()
	if of.Key == nil {
		of.Key = NewKey(tb, elliptic.P256())
	}
	t := template(of)
	self := &Authority{Cert: t, key: of.Key, tb: tb}
	return acm.Material{Body: PEM(self.sign(t, of.Key.Public())), Key: KeyPEM(tb, of.Key)}
}

// PEM writes certificates.
func PEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// KeyPEM writes a key as PKCS #8.
func KeyPEM(tb testing.TB, key crypto.Signer) []byte {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Pool trusts the authority.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Cert)
	return p
}
