package sealing

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func nothing() ([]byte, error) { return nil, nil }

func TestItIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Ensure(dir, nothing, rand.Reader)
	if err != nil || len(first) != Size {
		t.Fatal(first, err)
	}
	again, err := Ensure(dir, func() ([]byte, error) { return []byte("an authority of later"), nil }, bytes.NewReader(nil))
	if err != nil || !bytes.Equal(again, first) {
		t.Errorf("then it is %x, %v", again, err)
	}
	info, err := os.Stat(Path(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v %v", info, err)
	}
}

func TestServersOfBeforeMakeTheSame(t *testing.T) {
	of := func() ([]byte, error) { return []byte("the authority's key"), nil }
	a, err := Ensure(t.TempDir(), of, bytes.NewReader(nil))
	b, berr := Ensure(t.TempDir(), of, bytes.NewReader(nil))
	if err != nil || berr != nil || !bytes.Equal(a, b) || bytes.Contains(a, []byte("authority")) {
		t.Errorf("%x %v, %x %v", a, err, b, berr)
	}
	if _, err := Ensure(t.TempDir(), func() ([]byte, error) { return nil, errors.New("no") }, rand.Reader); err == nil {
		t.Error("one is made of nothing")
	}
}

func TestOneThatWasSentIsKept(t *testing.T) {
	dir, secret := t.TempDir(), bytes.Repeat([]byte{7}, Size)
	for range 2 {
		if err := Keep(dir, secret); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Ensure(dir, nothing, rand.Reader); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("kept %x, %v", got, err)
	}
	if err := Keep(dir, bytes.Repeat([]byte{8}, Size)); err == nil || strings.Contains(err.Error(), "CAgI") {
		t.Errorf("another: %v", err)
	}
	if err := Keep(dir, []byte("short")); err == nil {
		t.Error("a short one is kept")
	}
	if err := os.WriteFile(Path(dir), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(dir, nothing, rand.Reader); err == nil || strings.Contains(err.Error(), "broken") {
		t.Errorf("a broken file: %v", err)
	}
}
