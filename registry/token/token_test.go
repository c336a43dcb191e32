package token

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	secret := []byte("secret")
	want := Claims{Account: "000000000000", Region: "us-east-1", Principal: "p", Expires: now.Add(Life)}
	s, err := Seal(secret, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(secret, s, now.Add(Life-1)); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Open(secret, s, now.Add(Life)); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
	if _, err := Open([]byte("other"), s, now); !errors.Is(err, ErrInvalid) {
		t.Errorf("another secret: %v", err)
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw { // no byte can be changed
		forged := append([]byte(nil), raw...)
		forged[i] ^= 1
		if _, err := Open(secret, base64.StdEncoding.EncodeToString(forged), now); !errors.Is(err, ErrInvalid) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, bad := range []string{"", "x", "AAAA"} {
		if _, err := Open(secret, bad, now); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
