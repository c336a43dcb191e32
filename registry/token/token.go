// Package token makes and reads the passwords of a registry: who may use it, and until when, signed.
//
// Guarantees: a token that Open accepts was made by Seal with the same secret, and has not expired. It says for which
// account and region it is good.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Life is how long a token is good: ECR's 12 hours.
const Life = 12 * time.Hour

// Claims is what a token says.
type Claims struct {
	Account   string    `json:"a"`
	Region    string    `json:"r"`
	Principal string    `json:"p"`
	UserID    string    `json:"u,omitempty"`
	AccessKey string    `json:"k,omitempty"`
	Expires   time.Time `json:"e"`
}

var (
	// ErrInvalid answers what no Seal made.
	ErrInvalid = errors.New("token: invalid")
	// ErrExpired answers a token whose time is over.
	ErrExpired = errors.New("token: expired")
)

// Seal makes a token.
func Seal(secret []byte, c Claims) (string, error) {
	body, err := json.Marshal(c) //nolint:gosec // the id of a key is no secret; the token says whose it is
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return base64.StdEncoding.EncodeToString(append(sum(secret, body), body...)), nil
}

// Open reads a token.
func Open(secret []byte, token string, now time.Time) (Claims, error) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < sha256.Size {
		return Claims{}, ErrInvalid
	}
	body := raw[sha256.Size:]
	if !hmac.Equal(raw[:sha256.Size], sum(secret, body)) {
		return Claims{}, ErrInvalid
	}
	var c Claims
	if err := json.Unmarshal(body, &c); err != nil {
		return Claims{}, ErrInvalid
	}
	if !now.Before(c.Expires) {
		return Claims{}, ErrExpired
	}
	return c, nil
}

func sum(secret, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("registry token\x00"))
	h.Write(body)
	return h.Sum(nil)
}
