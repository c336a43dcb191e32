package acm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func ring(t *testing.T, fill byte) *Keyring {
	t.Helper()
	k, err := NewKeyring(bytes.Repeat([]byte{fill}, SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestASealedKeyIsOfItsCertificateAlone(t *testing.T) {
	k, salt, key := ring(t, 7), [SaltSize]byte{1, 2, 3}, []byte("-----BEGIN PRIVATE KEY-----\nabc\n")
	sealed := k.Seal(salt, "arn:1", key)
	if got, err := k.Open("arn:1", sealed); err != nil || !bytes.Equal(got, key) {
		t.Fatalf("opened %q, %v", got, err)
	}
	if bytes.Contains(sealed, []byte("PRIVATE")) {
		t.Error("the sealed form shows the key")
	}
	if _, err := k.Open("arn:2", sealed); err == nil {
		t.Error("it opens for another certificate")
	}
	if _, err := ring(t, 8).Open("arn:1", sealed); !errors.Is(err, ErrOtherSecret) {
		t.Errorf("under another secret: %v", err)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if _, err := k.Open("arn:1", broken); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
		if _, err := k.Open("arn:1", sealed[:i]); err == nil {
			t.Errorf("%d bytes are enough", i)
		}
	}
	if other := k.Seal([SaltSize]byte{9}, "arn:1", key); bytes.Equal(other[sealHead:], sealed[sealHead:]) {
		t.Error("two seals of one key are the same")
	}
}

func TestSecretsPrintAsNothing(t *testing.T) {
	k, c := ring(t, 'S'), &Checked{key: []byte("SSSS")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb+verb, k, c); strings.Contains(text, "SSSS") || strings.Contains(text, "83, 83") {
			t.Errorf("%s prints %s", verb, text)
		}
	}
	if _, err := NewKeyring([]byte("short")); err == nil {
		t.Error("a short secret is taken")
	}
}
