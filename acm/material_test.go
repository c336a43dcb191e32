package acm_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
)

func TestKeysThatMayBeImported(t *testing.T) {
	for want, key := range map[string]acmtest.Of{
		"RSA_1024":      {Key: acmtest.NewRSA(t, 1024)},
		"RSA_2048":      {Key: acmtest.NewRSA(t, 2048)},
		"EC_prime256v1": {Key: acmtest.NewKey(t, elliptic.P256())},
		"EC_secp384r1":  {Key: acmtest.NewKey(t, elliptic.P384())},
		"EC_secp521r1":  {Key: acmtest.NewKey(t, elliptic.P521())},
	} {
		key.Names = []string{"a.example"}
		c, err := acmtest.SelfSigned(t, key).Check(time.Now())
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		f, err := (&acm.Certificate{Body: c.Body}).Facts()
		if err != nil || f.KeyAlgorithm != want || f.Domain() != "a.example" {
			t.Errorf("%s: %+v %v", want, f, err)
		}
	}
}

func block(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Keys come in the forms that openssl writes.
func TestFormsOfKeys(t *testing.T) {
	ec, rs := acmtest.NewKey(t, elliptic.P256()), acmtest.NewRSA(t, 2048)
	sec1, err := x509.MarshalECPrivateKey(ec.(*ecdsa.PrivateKey))
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}})
	for name, m := range map[string]struct {
		of  acmtest.Of
		key []byte
	}{
		"SEC 1":                 {acmtest.Of{Key: ec}, block("EC PRIVATE KEY", sec1, err)},
		"SEC 1 with parameters": {acmtest.Of{Key: ec}, append(parameters, block("EC PRIVATE KEY", sec1, err)...)},
		"PKCS #1":               {acmtest.Of{Key: rs}, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs.(*rsa.PrivateKey)), nil)},
		"text before":           {acmtest.Of{Key: ec}, append([]byte("Bag Attributes\n  friendlyName: x\n"), acmtest.KeyPEM(t, ec)...)},
	} {
		m.of.Names = []string{"a.example"}
		material := acmtest.SelfSigned(t, m.of)
		material.Key = bytes.ReplaceAll(m.key, []byte("\n"), []byte("\r\n"))
		if _, err := material.Check(time.Now()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChains(t *testing.T) {
	root := acmtest.New(t, acmtest.Of{})
	below := root.Authority("intermediate", acmtest.Of{})
	m := below.Issue(acmtest.Of{Names: []string{"a.example"}})
	self := acmtest.SelfSigned(t, acmtest.Of{Names: []string{"b.example"}})
	inter, top, other := acmtest.PEM(below.Cert), acmtest.PEM(root.Cert), acmtest.PEM(acmtest.New(t, acmtest.Of{}).Cert)
	old := root.Authority("ended", acmtest.Of{Until: time.Now().Add(-time.Minute)})
	rsaRoot := acmtest.New(t, acmtest.Of{Key: acmtest.NewRSA(t, 2048)})
	for _, c := range []struct {
		name  string
		m     acm.Material
		chain []byte
		want  string
	}{
		{"up to the root", m, append(bytes.Clone(inter), top...), ""},
		{"without the root", m, inter, ""},
		{"self-signed", self, nil, ""},
		{"none", m, nil, "Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain."},
		{"wrong order", m, append(bytes.Clone(top), inter...), "index within the chain of the invalid certificate is: 0"},
		{"a stranger behind", m, append(bytes.Clone(inter), other...), "index within the chain of the invalid certificate is: 1"},
		{"the certificate itself", m, append(bytes.Clone(m.Body), inter...), "index within the chain of the invalid certificate is: 0"},
		{"no PEM", m, []byte("x"), "The certificate chain is not PEM-encoded or is not valid."},
		{"a key in it", m, append(bytes.Clone(inter), m.Key...), "The certificate chain is not PEM-encoded or is not valid."},
		{"half a block behind", m, append(bytes.Clone(inter), top[:60]...), "The certificate chain is not PEM-encoded or is not valid."},
		{"ended", old.Issue(acmtest.Of{Names: []string{"a"}}), acmtest.PEM(old.Cert), "The certificate chain has expired, is not valid."},
		{"signed by another algorithm", rsaRoot.Issue(acmtest.Of{Names: []string{"a"}}), acmtest.PEM(rsaRoot.Cert), "is not that of the certificate authority"},
		{"too large", m, bytes.Repeat(inter, 1000), "The certificate chain is larger than"},
	} {
		c.m.Chain = c.chain
		_, err := c.m.Check(time.Now())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWhatMayNotBeImported(t *testing.T) {
	of := acmtest.Of{Names: []string{"a.example"}}
	good, other := acmtest.SelfSigned(t, of), acmtest.SelfSigned(t, of)
	with := func(change func(m *acm.Material)) acm.Material {
		m := good
		change(&m)
		return m
	}
	ended, later, odd, small := of, of, of, of
	ended.Until, later.From = time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	odd.Key, small.Key = acmtest.NewKey(t, elliptic.P224()), acmtest.NewRSA(t, 1536)
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	legacy := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte("x")})
	for _, c := range []struct {
		name string
		m    acm.Material
		want string
	}{
		{"two certificates", with(func(m *acm.Material) { m.Body = append(bytes.Clone(m.Body), other.Body...) }), "The certificate field contains more than one certificate. You can specify only one certificate in this field."},
		{"no PEM", with(func(m *acm.Material) { m.Body = []byte("hello") }), "The certificate is not PEM-encoded or is not valid."},
		{"another kind", with(func(m *acm.Material) { m.Body = m.Key }), "The certificate is not PEM-encoded or is not valid."},
		{"expired", acmtest.SelfSigned(t, ended), "The certificate has expired, is not valid."},
		{"not yet", acmtest.SelfSigned(t, later), "The certificate is not in effect yet, is not valid."},
		{"another curve", acmtest.SelfSigned(t, odd), "The key of the certificate is not supported"},
		{"another length", acmtest.SelfSigned(t, small), "The key of the certificate is not supported"},
		{"another's key", with(func(m *acm.Material) { m.Key = other.Key }), "The private key does not match the certificate."},
		{"no key", with(func(m *acm.Material) { m.Key = []byte("x") }), "The private key is not PEM-encoded or is not valid."},
		{"a certificate as key", with(func(m *acm.Material) { m.Key = m.Body }), "Passed PEM was not a private key."},
		{"two keys", with(func(m *acm.Material) { m.Key = append(bytes.Clone(m.Key), m.Key...) }), "more than one private key"},
		{"an encrypted key", with(func(m *acm.Material) { m.Key = encrypted }), "encrypted"},
		{"an encrypted key of old", with(func(m *acm.Material) { m.Key = legacy }), "encrypted"},
		{"a broken key", with(func(m *acm.Material) { m.Key = bytes.Replace(m.Key, []byte("M"), []byte("N"), 3) }), "The private key is not PEM-encoded or is not valid."},
	} {
		_, err := c.m.Check(time.Now())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWhatMayTakeTheirPlace(t *testing.T) {
	of := acmtest.Of{Names: []string{"a.example"}}
	first := acmtest.SelfSigned(t, of)
	old := &acm.Certificate{Body: string(first.Body)}
	wider, narrower, other, nameless := of, of, of, of
	wider.Names = []string{"b.example", "*.b.example"}
	narrower.Change = func(c *x509.Certificate) { c.ExtKeyUsage = nil }
	other.Key = acmtest.NewKey(t, elliptic.P384())
	nameless.Names = nil
	for _, c := range []struct {
		name string
		of   acmtest.Of
		want string
	}{
		{"another key of its kind", of, ""},
		{"other names", wider, ""},
		{"another curve", other, "key algorithm"},
		{"fewer uses", narrower, "extended key usage"},
		{"no name", nameless, "names no domain"},
	} {
		if c.name == "no name" {
			c.of.Change = func(x *x509.Certificate) { x.Subject.Organization = []string{"Somebody"} }
		}
		checked, err := acmtest.SelfSigned(t, c.of).Check(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		err = checked.Replaces(old)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever is given, the answer is a certificate that serves or an error without a trace of the key.
func FuzzMaterial(f *testing.F) {
	m := acmtest.New(f, acmtest.Of{}).Issue(acmtest.Of{Names: []string{"a.example"}})
	f.Add(m.Body, m.Chain, m.Key)
	f.Add(m.Body, []byte(nil), m.Key[:40])
	f.Add(m.Key, m.Body, m.Chain)
	secret := string(m.Key[40:80])
	f.Fuzz(func(t *testing.T, body, chain, key []byte) {
		c, err := acm.Material{Body: body, Chain: chain, Key: key}.Check(time.Now())
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Fatalf("the key is in %v", err)
		case err != nil:
		default:
			if _, err := (&acm.Certificate{Body: c.Body}).Facts(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
