package authority

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"sync"
	"time"
)

const served = 90 * 24 * time.Hour // lifetime of a certificate that serves

// Issued is a certificate of an authority for a server, renewed as time goes by. It is safe for concurrent use.
type Issued struct {
	authority *Authority
	names     []string
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	renew   time.Time
}

// Issue returns a certificate for names, which are host names and IP addresses.
func (a *Authority) Issue(names []string, now func() time.Time) *Issued {
	return &Issued{authority: a, names: names, now: now}
}

// Get is for tls.Config.GetCertificate.
func (i *Issued) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := i.now(); i.current == nil || !now.Before(i.renew) {
		next, err := i.authority.issue(i.names, now)
		if err != nil {
			return nil, err
		}
		i.current, i.renew = next, now.Add(served*2/3)
	}
	return i.current, nil
}

func (a *Authority) issue(names []string, now time.Time) (*tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "berth agent endpoint"},
		NotBefore:    now.Add(-early), NotAfter: earlier(now.Add(served), a.cert.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
