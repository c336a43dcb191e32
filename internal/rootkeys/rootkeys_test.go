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
	of := Of{DataDir: filepath.Join(t.TempDir(), "data"), Account: "000000000000"}
	if _, err := Read(of); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Read before the first start: %v", err)
	}
	made, err := Ensure(of, Keys{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(made.AccessKey) || len(made.SecretKey) != 40 {
		t.Errorf("unexpected form: %q, %d characters", made.AccessKey, len(made.SecretKey))
	}
	again, err := Ensure(of, Keys{}, bytes.NewReader(nil)) // needs no randomness any more
	if err != nil || again != made {
		t.Errorf("second Ensure = %v, %v", again, err)
	}
	info, err := os.Stat(of.first())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info, err)
	}
}

func TestEnsurePrefersGivenKeys(t *testing.T) {
	of := Of{DataDir: t.TempDir(), Account: "000000000000"}
	given := Keys{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "secret"}
	got, err := Ensure(of, given, nil)
	if err != nil || got != given {
		t.Errorf("Ensure = %v, %v", got, err)
	}
	if _, err := os.Stat(of.first()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("given keys were written: %v", err)
	}
}

func TestReadRefusesAnIncompleteFile(t *testing.T) {
	of := Of{DataDir: t.TempDir(), Account: "000000000000"}
	if err := os.WriteFile(of.first(), []byte("[default]\naws_access_key_id = X\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Ensure(of, Keys{}, rand.Reader); err == nil || !strings.Contains(err.Error(), "holds no key pair") {
		t.Errorf("err = %v", err)
	}
}

func TestEachAccountHasKeysOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	a, b := Of{dir, "000000000000"}, Of{dir, "111111111111"}
	mine, err := Ensure(a, Keys{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(b); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another account reads %v", err)
	}
	theirs, err := Ensure(b, Keys{}, rand.Reader)
	if err != nil || theirs == mine {
		t.Errorf("both have %v, %v", theirs, err)
	}
	for of, want := range map[Of]Keys{a: mine, b: theirs} {
		got, err := Ensure(of, Keys{}, nil)
		if read, rerr := Read(of); got != want || err != nil || read != want || rerr != nil {
			t.Errorf("%s has %v %v, then %v %v; want %v", of.Account, got, err, read, rerr, want)
		}
	}
}

// A file that names no account is from before there were several: its keys stay those of the one that comes first.
func TestAFileWithoutAnAccountIsAdopted(t *testing.T) {
	a, b := Of{t.TempDir(), "000000000000"}, Of{"", "111111111111"}
	b.DataDir = a.DataDir
	if err := os.WriteFile(a.first(), []byte("[default]\naws_access_key_id = X\naws_secret_access_key = Y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := Keys{AccessKey: "X", SecretKey: "Y"}
	if got, err := Read(a); err != nil || got != old {
		t.Errorf("Read = %v, %v", got, err)
	}
	if got, err := Ensure(a, Keys{}, nil); err != nil || got != old {
		t.Errorf("Ensure = %v, %v", got, err)
	}
	if got, err := Ensure(b, Keys{}, rand.Reader); err != nil || got == old {
		t.Errorf("the other account has %v, %v", got, err)
	}
}

// Given keys replace those of a file that names no account; they do not become another account's.
func TestAFileWithoutAnAccountStaysTheFirstOnes(t *testing.T) {
	a, b := Of{t.TempDir(), "000000000000"}, Of{"", "111111111111"}
	b.DataDir = a.DataDir
	if err := os.WriteFile(a.first(), []byte("[default]\naws_access_key_id = X\naws_secret_access_key = Y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	given := Keys{AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "secret"}
	if got, err := Ensure(a, given, nil); err != nil || got != given {
		t.Errorf("Ensure = %v, %v", got, err)
	}
	if got, err := Ensure(b, Keys{}, rand.Reader); err != nil || got.AccessKey == "X" {
		t.Errorf("the other account has %v, %v", got, err)
	}
	if got, err := Ensure(a, Keys{}, nil); err != nil || got.AccessKey != "X" {
		t.Errorf("without given ones the first has %v, %v", got, err)
	}
}
