// Package sigv4 verifies and makes AWS Signature Version 4, in headers, in presigned URLs and in the frames of the agent's telemetry.
//
// Guarantees:
//   - A request passes only when its method, path, query, host, every X-Amz- header it carries and its body are what was signed, within five
//     minutes of now, or within the lifetime of a presigned URL.
//   - Signatures and session tokens are compared in constant time.
//   - What is not supported (signature versions 2 and 4A, unsigned and streamed payloads) is refused with an error that says so.
//
// The package is pure but for the clock and the key table it is handed.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// The fixed words of the protocol.
const (
	Algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	dateFormat = "20060102T150405Z"
	dayFormat  = "20060102"

	headerAuthorization = "Authorization"
	headerDate          = "X-Amz-Date"
	headerToken         = "X-Amz-Security-Token" //nolint:gosec // the name of a header
	headerHash          = "X-Amz-Content-Sha256"
)

// Skew is how far a signature's time may be from the verifier's.
const Skew = 5 * time.Minute

// Key is what a verifier must know about an access key.
type Key struct {
	Secret       string    // required
	Account      string    // required
	Principal    string    // ARN; required
	UserID       string    // optional; the unique id behind the principal
	SessionToken string    // optional; a temporary key's, which requests must carry
	Expires      time.Time // optional; a temporary key's end
	Machine      string    // optional; the node that it was given to, which may do what is its own
}

// Keys finds access keys. It must be safe for concurrent use.
type Keys interface {
	Lookup(accessKey string) (Key, bool)
}

// Credentials sign requests.
type Credentials struct {
	AccessKey    string // required
	Secret       string // required
	SessionToken string // optional
}

// Signer signs requests, presigned URLs and frames. The time is given with each.
type Signer struct {
	Credentials Credentials // required
	Scope       Scope       // required
}

// Scope is the part of a credential scope a signer chooses.
type Scope struct {
	Region  string
	Service string
}

// signature computes the signature of a string to sign.
func (s Scope) signature(secret, day, toSign string) []byte { return mac(s.key(secret, day), toSign) }

// key derives the signing key of a day.
func (s Scope) key(secret, day string) []byte {
	key := mac([]byte("AWS4"+secret), day)
	key = mac(key, s.Region)
	key = mac(key, s.Service)
	return mac(key, terminator)
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Table is a fixed set of keys by access key.
type Table map[string]Key

// Lookup implements Keys.
func (t Table) Lookup(accessKey string) (Key, bool) {
	k, ok := t[accessKey]
	return k, ok
}
