package acm

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"slices"
	"time"
)

// Material is a certificate, who signed it, and its private key, as somebody gave them.
type Material struct{ Body, Chain, Key []byte }

// Checked is material that may be imported. It prints as nothing.
type Checked struct {
	Body, Chain string
	key         []byte // PEM, PKCS #8
	leaf        *x509.Certificate
}

// String implements fmt.Stringer.
func (*Checked) String() string { return "acm.Checked" }

// GoString implements fmt.GoStringer.
func (*Checked) GoString() string { return "acm.Checked" }

// Check says whether material may be imported at a time, in AWS's words. No error holds any of the material.
func (m Material) Check(now time.Time) (*Checked, error) {
	body, err := certificates(m.Body, "certificate")
	switch {
	case err != nil:
		return nil, err
	case len(body) > 1:
		return nil, Invalid("The certificate field contains more than one certificate. You can specify only one certificate in this field.")
	}
	leaf := body[0]
	if err := current(leaf, now, "certificate"); err != nil {
		return nil, err
	}
	if leaf.Version != 3 {
		return nil, Invalid("The certificate is of version %d of X.509: only version 3 is supported.", leaf.Version)
	}
	if algorithm(leaf.PublicKey) == "" {
		return nil, Invalid("The key of the certificate is not supported: only RSA of 1024, 2048, 3072 and 4096 bits and ECDSA on the curves prime256v1, secp384r1 and secp521r1 are.")
	}
	if leaf.Issuer.String() == "" {
		return nil, Invalid("The certificate's Issuer field must not be empty.")
	}
	key, err := privateKey(m.Key)
	if err != nil {
		return nil, err
	}
	if pub, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(key.Public()) {
		return nil, Invalid("The private key does not match the certificate.")
	}
	chain, err := chained(leaf, m.Chain, now)
	if err != nil {
		return nil, err
	}
	kept, err := writeKey(key)
	return &Checked{Body: write(leaf), Chain: write(chain...), key: kept, leaf: leaf}, err
}

// Seal is the private key, sealed for an ARN.
func (c *Checked) Seal(k *Keyring, salt [SaltSize]byte, arn string) []byte {
	return k.Seal(salt, arn, c.key)
}

func current(c *x509.Certificate, now time.Time, what string) error {
	switch {
	case now.After(c.NotAfter):
		return Invalid("The %s has expired, is not valid.", what)
	case now.Before(c.NotBefore):
		return Invalid("The %s is not in effect yet, is not valid.", what)
	}
	return nil
}

// maxChain is what a record holds well. AWS takes chains of up to 2 MB, which no client of TLS would.
const maxChain = 256 << 10

// chained parses a chain and holds it to the certificate: each must be signed by the one that follows. Who signed the last one need not be there.
func chained(leaf *x509.Certificate, text []byte, now time.Time) ([]*x509.Certificate, error) {
	if len(text) == 0 {
		if !bytes.Equal(leaf.RawSubject, leaf.RawIssuer) || leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) != nil {
			return nil, Invalid("Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.")
		}
		return nil, nil
	}
	if len(text) > maxChain {
		return nil, Invalid("The certificate chain is larger than %d bytes.", maxChain)
	}
	chain, err := certificates(text, "certificate chain")
	if err != nil {
		return nil, err
	}
	below := leaf
	for i, c := range chain {
		if !certifies(c, below) {
			return nil, Invalid("Could not validate the certificate with the certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d", i)
		}
		if err := current(c, now, "certificate chain"); err != nil {
			return nil, err
		}
		below = c
	}
	if chain[0].PublicKeyAlgorithm != leaf.PublicKeyAlgorithm {
		return nil, Invalid("The algorithm of the certificate's key, %s, is not that of the certificate authority that signed it, %s.", leaf.PublicKeyAlgorithm, chain[0].PublicKeyAlgorithm)
	}
	return chain, nil
}

// certifies tells whether an authority signed a certificate that is not its own.
func certifies(by, c *x509.Certificate) bool {
	if by.Equal(c) || !bytes.Equal(by.RawSubject, c.RawIssuer) {
		return false
	}
	if by.Version == 3 && (!by.BasicConstraintsValid || !by.IsCA) {
		return false
	}
	return by.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// Replaces says whether checked material may take the place of a certificate: for what uses it, nothing changes but the names.
func (c *Checked) Replaces(old *Certificate) error {
	was, err := old.Facts()
	if err != nil {
		return nil //nolint:nilerr // what is kept is unreadable: anything is better
	}
	is := factsOf(c.leaf)
	switch {
	case was.KeyAlgorithm != is.KeyAlgorithm:
		return Invalid("The key algorithm of a certificate cannot be changed: it is %s, and was %s.", is.KeyAlgorithm, was.KeyAlgorithm)
	case lacks(is.KeyUsages, was.KeyUsages):
		return Invalid("The certificate lacks a key usage that the one it replaces has.")
	case lacks(is.Extended, was.Extended):
		return Invalid("The certificate lacks an extended key usage that the one it replaces has.")
	case len(was.Names) > 0 && len(is.Names) == 0:
		return Invalid("The certificate names no domain, and the one it replaces does.")
	}
	return nil
}

func lacks[T comparable](have, want []T) bool {
	return slices.ContainsFunc(want, func(w T) bool { return !slices.Contains(have, w) })
}
