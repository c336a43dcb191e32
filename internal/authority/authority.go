package authority

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/berth-ecs/berth/internal/whole"
)

const (
	lifetime = 10 * 365 * 24 * time.Hour // of the authority
	early    = time.Hour                 // clocks differ: what begins now is valid a little before
	bits     = 2048
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

// Path names the file of the authority's certificate in a data directory: what clients must trust.
func Path(dataDir string) string { return filepath.Join(dataDir, "agent-ca.pem") }

func keyPath(dataDir string) string { return filepath.Join(dataDir, "agent-ca-key.pem") }

// Ensure returns the authority of dataDir, made at the first call. One that has ended, or lost its key, is not replaced
// silently: every client would have to trust a new one. A lost certificate is made again, of the same key.
func Ensure(dataDir string, now time.Time) (*Authority, error) {
	a, err := read(dataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		var key *rsa.PrivateKey
		if a != nil { // a certificate of the same key is trusted by whoever trusts the one that is lost
			key = a.key
		}
		if a, err = create(now, key); err == nil {
			err = a.write(dataDir)
		}
	case err == nil && now.After(a.cert.NotAfter):
		err = fmt.Errorf("the certificate in %s has ended; remove it and %s, and give the new one to every agent", Path(dataDir), keyPath(dataDir))
	}
	if err != nil {
		return nil, fmt.Errorf("agents' certificate authority: %w", err)
	}
	return a, nil
}

// read answers an error that wraps fs.ErrNotExist only when there is neither file, or when the certificate alone is missing: it comes
// with the authority's key then.
func read(dataDir string) (*Authority, error) {
	key, keyErr := os.ReadFile(keyPath(dataDir))
	cert, err := os.ReadFile(Path(dataDir))
	switch {
	case errors.Is(err, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return nil, err
	case errors.Is(keyErr, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is there, its key %s is not", Path(dataDir), keyPath(dataDir))
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case keyErr != nil:
		return nil, keyErr
	}
	a := &Authority{}
	var perr error
	if a.key, perr = parseKey(key, keyPath(dataDir)); perr != nil {
		return nil, perr
	}
	if err != nil {
		return a, err
	}
	block, _ := pem.Decode(cert)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate", Path(dataDir))
	}
	if a.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("%s: %w", Path(dataDir), err)
	}
	if !a.key.PublicKey.Equal(a.cert.PublicKey) {
		return nil, fmt.Errorf("%s is not the key of %s", keyPath(dataDir), Path(dataDir))
	}
	return a, nil
}

func parseKey(text []byte, path string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds no RSA key", path)
	}
	return key, nil
}

// create makes an authority, of a key if there is one.
func create(now time.Time, key *rsa.PrivateKey) (*Authority, error) {
	var err error
	if key == nil {
		if key, err = rsa.GenerateKey(rand.Reader, bits); err != nil {
			return nil, err
		}
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "berth agents' certificate authority"},
		NotBefore:    now.Add(-early), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		SubjectKeyId: keyID(&key.PublicKey),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(raw)
	return &Authority{cert: cert, key: key}, err
}

func keyID(k *rsa.PublicKey) []byte {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(k))
	return sum[:20]
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // the reader never fails
	return n.Add(n, big.NewInt(1))
}

// write stores the key and then the certificate, each complete or absent.
func (a *Authority) write(dataDir string) error {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	if err := whole.Write(keyPath(dataDir), encodePEM("PRIVATE KEY", der), 0o600); err != nil {
		return err
	}
	return whole.Write(Path(dataDir), encodePEM("CERTIFICATE", a.cert.Raw), 0o644)
}
