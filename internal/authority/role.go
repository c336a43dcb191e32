package authority

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/berth-ecs/berth/internal/whole"
)

// Role is what a machine of the installation is. It is the CommonName of the machine's certificate.
type Role string

// The roles.
const (
	ServerRole Role = "berth server"
	NodeRole   Role = "berth node"
)

// ServerName is a name of every server of an installation: who looks for any of them asks for a certificate of this name.
const ServerName = "server.berth.internal"

// Lifetimes of machines' certificates. They are renewed after a third; a node that was off for longer needs a ticket again.
const (
	machineLife = 21 * 24 * time.Hour
	RenewAfter  = machineLife / 3
)

// Machine is what a certificate says of its holder.
type Machine struct {
	Role  Role
	ID    string   // of the machine; optional for servers
	Names []string // host names and addresses that it serves at; optional
}

const machineScheme = "berth"

// Certify signs the public key of a machine that this authority lets in. The certificate is for serving and for asking.
func (a *Authority) Certify(m Machine, key crypto.PublicKey, now time.Time) (der []byte, err error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: string(m.Role)},
		NotBefore:    now.Add(-early), NotAfter: earlier(now.Add(machineLife), a.cert.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	if m.ID != "" {
		template.URIs = []*url.URL{{Scheme: machineScheme, Host: "machine", Path: "/" + m.ID}}
	}
	template.IPAddresses, template.DNSNames = split(m.Names)
	if der, err = x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key); err != nil {
		return nil, fmt.Errorf("certify %s: %w", m.Role, err)
	}
	return der, nil
}

// Read answers what a certificate says of its holder. That an authority signed it is for the caller to have verified.
func Read(c *x509.Certificate) (Machine, error) {
	m := Machine{Role: Role(c.Subject.CommonName)}
	if m.Role != ServerRole && m.Role != NodeRole {
		return m, fmt.Errorf("a certificate of %q is no machine's", m.Role)
	}
	for _, u := range c.URIs {
		if u.Scheme == machineScheme && u.Host == "machine" && len(u.Path) > 1 {
			m.ID = u.Path[1:]
		}
	}
	return m, nil
}

func split(names []string) (ips []net.IP, hosts []string) {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			ips = append(ips, ip)
		} else {
			hosts = append(hosts, name)
		}
	}
	return ips, hosts
}

// Certificate is the authority's own, which tells who verifies.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Print is what an authority is recognised by.
func Print(cert *x509.Certificate) [sha256.Size]byte { return sha256.Sum256(cert.Raw) }

// Pool trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// Export answers the authority as PEM, its key with it: for another server of the installation, and for nobody else.
func (a *Authority) Export() (cert, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, nil, err
	}
	return encodePEM("CERTIFICATE", a.cert.Raw), encodePEM("PRIVATE KEY", der), nil
}

// Import stores what Export answered in dataDir. An authority that is there already must be the same.
func Import(dataDir string, cert, key []byte) error {
	block, _ := pem.Decode(cert)
	if block == nil {
		return errors.New("authority: what was sent holds no certificate")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	a := &Authority{cert: parsed}
	if a.key, err = parseKey(key, "what was sent"); err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	if !a.key.PublicKey.Equal(parsed.PublicKey) {
		return errors.New("authority: the key that was sent is not the certificate's")
	}
	switch old, err := read(dataDir); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("authority: %w", err)
	case old.cert.Equal(parsed):
		return nil
	default:
		return fmt.Errorf("authority: %s is of another installation", Path(dataDir))
	}
	return a.write(dataDir)
}

// KeyPair names the PEM files of a machine's certificate with its key, and of who signed it.
type KeyPair struct{ File, CA string }

// KeyPairAt names them in a data directory, for one use of the certificate.
func KeyPairAt(dataDir, use string) KeyPair {
	return KeyPair{File: filepath.Join(dataDir, use+".pem"), CA: filepath.Join(dataDir, use+"-ca.pem")}
}

// NewKey makes a machine's key.
func NewKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// Write stores a certificate, its key and who signed it. Certificate and key are one file, so that no crash makes them two machines'.
func (p KeyPair) Write(cert []byte, key *ecdsa.PrivateKey, ca *x509.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.File), 0o700); err != nil {
		return err
	}
	if err := whole.Write(p.CA, encodePEM("CERTIFICATE", ca.Raw), 0o644); err != nil {
		return err
	}
	return whole.Write(p.File, append(encodePEM("CERTIFICATE", cert), encodePEM("PRIVATE KEY", der)...), 0o600)
}

// Load reads the certificate with its key.
func (p KeyPair) Load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(p.File, p.File)
	if err != nil {
		return nil, fmt.Errorf("the machine's certificate: %w", err)
	}
	return &c, nil
}

func encodePEM(kind string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data})
}

// ParsePEM reads the first certificate of a PEM text.
func ParsePEM(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("authority: no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}
