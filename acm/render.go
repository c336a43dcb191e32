package acm

import (
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// maxSummaryNames is how many names a summary has at most.
const maxSummaryNames = 100

// Status is that of an imported certificate at a time.
func (f Facts) Status(now time.Time) string {
	if now.After(f.NotAfter) {
		return shape.CertificateStatusExpired
	}
	return shape.CertificateStatusIssued
}

func moment(t time.Time) *aws.Time { return aws.At(t) }

// Render is what DescribeCertificate answers. usedBy are ARNs.
func (c *Certificate) Render(f Facts, usedBy []string, now time.Time) *shape.CertificateDetail {
	out := &shape.CertificateDetail{
		CertificateArn: aws.Ptr(c.ARN()), DomainName: some(f.Domain()), SubjectAlternativeNames: f.Names,
		Serial: &f.Serial, Subject: &f.Subject, Issuer: &f.Issuer,
		CreatedAt: moment(c.CreatedAt), ImportedAt: moment(c.ImportedAt), NotBefore: moment(f.NotBefore), NotAfter: moment(f.NotAfter),
		Status: aws.Ptr(f.Status(now)), Type: aws.Ptr(shape.CertificateTypeImported), RenewalEligibility: aws.Ptr(shape.RenewalEligibilityIneligible),
		KeyAlgorithm: aws.Ptr(long(f.KeyAlgorithm)), SignatureAlgorithm: &f.SignatureAlgorithm,
		KeyUsages: []shape.KeyUsage{}, ExtendedKeyUsages: []shape.ExtendedKeyUsage{}, InUseBy: append([]string{}, usedBy...),
		Options: &shape.CertificateOptions{CertificateTransparencyLoggingPreference: aws.Ptr(shape.CertificateTransparencyLoggingPreferenceDisabled)},
	}
	for _, u := range f.KeyUsages {
		out.KeyUsages = append(out.KeyUsages, shape.KeyUsage{Name: &u})
	}
	for _, u := range f.Extended {
		out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, shape.ExtendedKeyUsage{Name: &u.Name, OID: &u.OID})
	}
	return out
}

// long is how DescribeCertificate writes what everything else calls RSA_2048.
func long(algorithm string) string {
	if len(algorithm) > 4 && algorithm[:4] == "RSA_" {
		return "RSA-" + algorithm[4:]
	}
	return algorithm
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Summary is what ListCertificates answers.
func (c *Certificate) Summary(f Facts, inUse bool, now time.Time) shape.CertificateSummary {
	return shape.CertificateSummary{
		CertificateArn: aws.Ptr(c.ARN()), DomainName: some(f.Domain()),
		SubjectAlternativeNameSummaries: f.Names[:min(len(f.Names), maxSummaryNames)], HasAdditionalSubjectAlternativeNames: aws.Ptr(len(f.Names) > maxSummaryNames),
		Status: aws.Ptr(f.Status(now)), Type: aws.Ptr(shape.CertificateTypeImported), RenewalEligibility: aws.Ptr(shape.RenewalEligibilityIneligible),
		KeyAlgorithm: aws.Ptr(long(f.KeyAlgorithm)), KeyUsages: append([]string{}, f.KeyUsages...), ExtendedKeyUsages: append([]string{}, f.ExtendedNames()...), InUse: &inUse,
		CreatedAt: moment(c.CreatedAt), ImportedAt: moment(c.ImportedAt), NotBefore: moment(f.NotBefore), NotAfter: moment(f.NotAfter),
	}
}
