package acm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Keyring seals private keys, and opens what it sealed: by AES-256-GCM, under a key that is made of the installation's secret and differs from
// record to record, bound to the ARN of the certificate. It prints as nothing.
type Keyring struct{ secret []byte }

// What a sealed key begins with: the version of its form, which secret it was sealed under, and a salt of its own.
const (
	sealVersion = 1
	markSize    = 8
	SaltSize    = 32
	sealHead    = 1 + markSize + SaltSize
)

// SecretSize is how long the installation's secret is.
const SecretSize = 32

// ErrOtherSecret is the error of what was sealed under another secret.
var ErrOtherSecret = errors.New("the key of a certificate was sealed under another secret than this server's")

var errBroken = errors.New("the sealed key of a certificate is broken, or another certificate's")

// NewKeyring makes a keyring of the installation's secret.
func NewKeyring(secret []byte) (*Keyring, error) {
	if len(secret) != SecretSize {
		return nil, fmt.Errorf("acm: a secret has %d bytes, not %d", SecretSize, len(secret))
	}
	return &Keyring{secret: secret}, nil
}

// String implements fmt.Stringer.
func (*Keyring) String() string { return "acm.Keyring" }

// GoString implements fmt.GoStringer.
func (*Keyring) GoString() string { return "acm.Keyring" }

// derive makes what it is that is asked for of the secret.
func (k *Keyring) derive(salt []byte, what string, size int) []byte {
	out, err := hkdf.Key(sha256.New, k.secret, salt, what, size)
	if err != nil {
		panic(err) // of a size that no caller asks for
	}
	return out
}

func (k *Keyring) mark() []byte { return k.derive(nil, "berth acm: which secret", markSize) }

// aead is the cipher of one record. Its key is used for one message, so the nonce may be a constant.
func (k *Keyring) aead(salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(k.derive(salt, "berth acm: private key", 32))
	if err != nil {
		panic(err) // of a size that is right
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

// Seal seals a private key for an ARN. The salt is random, and never used for anything else.
func (k *Keyring) Seal(salt [SaltSize]byte, arn string, key []byte) []byte {
	out := append([]byte{sealVersion}, k.mark()...)
	out = append(out, salt[:]...)
	a := k.aead(salt[:])
	return a.Seal(out, make([]byte, a.NonceSize()), key, []byte(arn)) //nolint:gosec // the salt makes a key that seals once: its nonce need not differ
}

// Open is the way back.
func (k *Keyring) Open(arn string, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < sealHead:
		return nil, errBroken
	case sealed[0] != sealVersion:
		return nil, fmt.Errorf("the key of a certificate was sealed by a newer release (form %d)", sealed[0])
	case string(sealed[1:1+markSize]) != string(k.mark()):
		return nil, ErrOtherSecret
	}
	a := k.aead(sealed[1+markSize : sealHead])
	key, err := a.Open(nil, make([]byte, a.NonceSize()), sealed[sealHead:], []byte(arn))
	if err != nil {
		return nil, errBroken
	}
	return key, nil
}
