package acm

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// Facts are what a certificate says of itself, in AWS's words.
type Facts struct {
	Names                            []string // the domain name first, then the alternatives; none of an address or without any
	Serial, Subject, Issuer          string
	NotBefore, NotAfter              time.Time
	KeyAlgorithm, SignatureAlgorithm string
	KeyUsages                        []string
	Extended                         []Usage
}

// Usage is an extended key usage.
type Usage struct{ Name, OID string }

var errUnreadable = errors.New("acm: a certificate that is kept is unreadable")

// Facts reads the certificate.
func (c *Certificate) Facts() (Facts, error) {
	block, _ := pem.Decode([]byte(c.Body))
	if block == nil {
		return Facts{}, errUnreadable
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Facts{}, errUnreadable
	}
	return factsOf(leaf), nil
}

// Valid tells whether the certificate is in effect at a time.
func (f Facts) Valid(now time.Time) bool { return !now.Before(f.NotBefore) && !now.After(f.NotAfter) }

// Domain is the certificate's first name, or "".
func (f Facts) Domain() string {
	if len(f.Names) == 0 {
		return ""
	}
	return f.Names[0]
}

func factsOf(c *x509.Certificate) Facts {
	return Facts{
		Names: namesOf(c), Serial: serial(c), Subject: name(c.Subject), Issuer: issuer(c),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyAlgorithm: algorithm(c.PublicKey), SignatureAlgorithm: signature(c.SignatureAlgorithm),
		KeyUsages: usages(c), Extended: extended(c),
	}
}

// namesOf has the common name first where it is a domain's, and every name once.
func namesOf(c *x509.Certificate) []string {
	var out []string
	all := c.DNSNames
	if cn := c.Subject.CommonName; cn != "" && (len(all) == 0 || slices.Contains(all, cn)) {
		all = append([]string{cn}, all...)
	}
	for _, n := range all {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func serial(c *x509.Certificate) string {
	digits := fmt.Sprintf("%x", c.SerialNumber)
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	var parts []string
	for ; len(digits) >= 2; digits = digits[2:] {
		parts = append(parts, digits[:2])
	}
	return strings.Join(parts, ":")
}

// issuer is the authority's organisation, or its name.
func issuer(c *x509.Certificate) string {
	if len(c.Issuer.Organization) > 0 {
		return c.Issuer.Organization[0]
	}
	return c.Issuer.CommonName
}

var attributes = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.5": "SERIALNUMBER",
}

// name writes a distinguished name in the order of the certificate, as AWS does.
func name(n pkix.Name) string {
	var parts []string
	for _, a := range n.Names {
		key, ok := attributes[a.Type.String()]
		if !ok {
			key = a.Type.String()
		}
		parts = append(parts, fmt.Sprintf("%s=%v", key, a.Value))
	}
	return strings.Join(parts, ",")
}

func signature(a x509.SignatureAlgorithm) string {
	hash, scheme, found := strings.Cut(a.String(), "-")
	switch {
	case !found:
		return strings.ToUpper(a.String())
	case strings.HasPrefix(a.String(), "ECDSA-"):
		return scheme + "WITHECDSA"
	case strings.HasSuffix(a.String(), "-RSAPSS"):
		return hash + "WITHRSAANDMGF1"
	}
	return hash + "WITH" + scheme
}

var keyUsages = []struct {
	bit  x509.KeyUsage
	name string
}{
	{x509.KeyUsageDigitalSignature, shape.KeyUsageNameDigitalSignature},
	{x509.KeyUsageContentCommitment, shape.KeyUsageNameNonRepudiation},
	{x509.KeyUsageKeyEncipherment, shape.KeyUsageNameKeyEncipherment},
	{x509.KeyUsageDataEncipherment, shape.KeyUsageNameDataEncipherment},
	{x509.KeyUsageKeyAgreement, shape.KeyUsageNameKeyAgreement},
	{x509.KeyUsageCertSign, shape.KeyUsageNameCertificateSigning},
	{x509.KeyUsageCRLSign, shape.KeyUsageNameCrlSigning},
	{x509.KeyUsageEncipherOnly, shape.KeyUsageNameEncipherOnly},
	{x509.KeyUsageDecipherOnly, shape.KeyUsageNameDecipherOnly},
}

func usages(c *x509.Certificate) []string {
	var out []string
	for _, u := range keyUsages {
		if c.KeyUsage&u.bit != 0 {
			out = append(out, u.name)
		}
	}
	return out
}

var extendedUsages = []struct {
	usage x509.ExtKeyUsage
	Usage
}{
	{x509.ExtKeyUsageServerAuth, Usage{shape.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.1"}},
	{x509.ExtKeyUsageClientAuth, Usage{shape.ExtendedKeyUsageNameTlsWebClientAuthentication, "1.3.6.1.5.5.7.3.2"}},
	{x509.ExtKeyUsageCodeSigning, Usage{shape.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.3"}},
	{x509.ExtKeyUsageEmailProtection, Usage{shape.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.4"}},
	{x509.ExtKeyUsageIPSECEndSystem, Usage{shape.ExtendedKeyUsageNameIpsecEndSystem, "1.3.6.1.5.5.7.3.5"}},
	{x509.ExtKeyUsageIPSECTunnel, Usage{shape.ExtendedKeyUsageNameIpsecTunnel, "1.3.6.1.5.5.7.3.6"}},
	{x509.ExtKeyUsageIPSECUser, Usage{shape.ExtendedKeyUsageNameIpsecUser, "1.3.6.1.5.5.7.3.7"}},
	{x509.ExtKeyUsageTimeStamping, Usage{shape.ExtendedKeyUsageNameTimeStamping, "1.3.6.1.5.5.7.3.8"}},
	{x509.ExtKeyUsageOCSPSigning, Usage{shape.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.9"}},
	{x509.ExtKeyUsageAny, Usage{shape.ExtendedKeyUsageNameAny, "2.5.29.37.0"}},
}

func extended(c *x509.Certificate) []Usage {
	var out []Usage
	for _, u := range extendedUsages {
		if slices.Contains(c.ExtKeyUsage, u.usage) {
			out = append(out, u.Usage)
		}
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, Usage{shape.ExtendedKeyUsageNameCustom, oid.String()})
	}
	return out
}

// ExtendedNames are the names of the extended key usages.
func (f Facts) ExtendedNames() []string {
	var out []string
	for _, u := range f.Extended {
		out = append(out, u.Name)
	}
	return out
}

// Servable says whether proxies serve the certificate: they take no RSA key below 2048 bits.
func (c *Certificate) Servable() bool {
	f, err := c.Facts()
	return err == nil && f.KeyAlgorithm != shape.KeyAlgorithmRsa1024
}
