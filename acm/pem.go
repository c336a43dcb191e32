package acm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"

	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

const typeCertificate = "CERTIFICATE"

// certificates parses a PEM text that holds certificates and nothing else of a kind of its own.
func certificates(text []byte, what string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		c, err := x509.ParseCertificate(block.Bytes)
		if block.Type != typeCertificate || err != nil {
			return nil, notPEM(what)
		}
		out = append(out, c)
	}
	if len(out) == 0 || bytes.Contains(text, []byte("-----BEGIN")) { // what is left is no whole block
		return nil, notPEM(what)
	}
	return out, nil
}

func notPEM(what string) error {
	return Invalid("The %s is not PEM-encoded or is not valid.", what)
}

// write is the way back: without what stood between the blocks.
func write(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: typeCertificate, Bytes: c.Raw}))
	}
	return b.String()
}

// privateKey parses a PEM text with one private key. No error of it says anything of the text.
func privateKey(text []byte) (crypto.Signer, error) {
	var found crypto.Signer
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch {
		case block.Type == "EC PARAMETERS": // what openssl ecparam -genkey writes first
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, Invalid("The private key is encrypted. You must provide an unencrypted private key.")
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, Invalid("Passed PEM was not a private key.")
		case found != nil:
			return nil, Invalid("The private key field contains more than one private key. You can specify only one private key in this field.")
		}
		if found = parseKey(block); found == nil {
			return nil, notPEM("private key")
		}
	}
	if found == nil {
		return nil, notPEM("private key")
	}
	return found, nil
}

// parseKey is nil for what is no private key.
func parseKey(block *pem.Block) crypto.Signer {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	s, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil
	}
	return s
}

// writeKey writes a private key in the one form in which keys are kept.
func writeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, notPEM("private key")
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// algorithm is AWS's word for a public key; "" for one that it does not take.
func algorithm(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch k.N.BitLen() {
		case 1024:
			return shape.KeyAlgorithmRsa1024
		case 2048:
			return shape.KeyAlgorithmRsa2048
		case 3072:
			return shape.KeyAlgorithmRsa3072
		case 4096:
			return shape.KeyAlgorithmRsa4096
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return shape.KeyAlgorithmEcPrime256v1
		case elliptic.P384():
			return shape.KeyAlgorithmEcSecp384r1
		case elliptic.P521():
			return shape.KeyAlgorithmEcSecp521r1
		}
	}
	return ""
}
