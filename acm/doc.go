// Package acm holds the records and rules of AWS Certificate Manager, as far as certificates are imported.
//
// Guarantees:
//
//   - It is pure: no I/O, no clock, no randomness.
//   - A private key is in one record, sealed; no other record, no error and no answer holds any of it.
//   - What is said of a certificate is read from the certificate. Who uses it is derived, never stored.
package acm

import "time"

// Certificate is one that was imported. The API writes it.
type Certificate struct {
	Home
	ID         string // of 32 hex digits, as UUIDs are written
	Body       string // PEM, the certificate alone
	Chain      string `json:",omitempty"` // PEM: who signed it, then who signed that
	CreatedAt  time.Time
	ImportedAt time.Time // the last time
}

// Key is the private key of a certificate, sealed for its ARN. The API writes it, together with the certificate.
type Key struct {
	Home
	ID     string // of the certificate
	Sealed []byte
}

// Tags are the tags of a certificate. The API writes them; they go with it.
type Tags struct {
	Home
	ID    string // of the certificate
	Pairs []Pair // in order of Key
}

// Use is written whenever something begins to use a certificate, without looking: so that a deletion finds out that it did. Who begins writes it.
type Use struct {
	Home
	ID string // of the certificate
	By string // tells one use from another
}

// MaxCertificates is how many a home has at most.
const MaxCertificates = 2500

// MaxTags is how many a certificate has at most.
const MaxTags = 50
