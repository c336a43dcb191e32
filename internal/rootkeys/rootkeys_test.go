package rootkeys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEnsureMakesKeysOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Read before the first start: %v", err)
	}
	made, err := Ensure(dir, Keys{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(made.AccessKey) || len(made.SecretKey) != 40 {
		t.Errorf("unexpected form: %q, %d characters", made.AccessKey, len(made.SecretKey))
	}
	again, err := Ensure(dir, Keys{}, bytes.NewReader(nil)) // needs no randomness any more
	if err != nil || again != made {
		t.Errorf("second Ensure = %v, %v", again, err)
	}
	info, err := os.Stat(Path(dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
}

func TestEnsurePrefersGivenKeys(t *testing.T) {
	dir := t.TempDir()
	given := Keys{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "secret"}
	got, err := Ensure(dir, given, nil)
	if err != nil || got != given {
		t.Errorf("Ensure = %v, %v", got, err)
	}
	if _, err := os.Stat(Path(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("given keys were written: %v", err)
	}
}

func TestReadRefusesAnIncompleteFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(Path(dir), []byte("[default]\naws_access_key_id = X\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(dir, Keys{}, rand.Reader); err == nil || !strings.Contains(err.Error(), "holds no key pair") {
		t.Errorf("err = %v", err)
	}
}
