// Package rootkeys keeps the access keys of the roots of the installation's accounts.
//
// Guarantees:
//
//   - The keys of an account are made once and are the same after every restart; given keys win over made ones and are not written.
//   - No two accounts have the same keys, whichever of them is asked for first.
//   - The file is readable by its owner only, complete or absent, and is an AWS credentials file: clients may name it in
//     AWS_SHARED_CREDENTIALS_FILE.
package rootkeys

import (
	"bufio"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-ecs/berth/internal/whole"
)

// Keys is a key pair that signs requests.
type Keys struct {
	AccessKey string
	SecretKey string
}

// Of is whose keys are meant, and where they are kept.
type Of struct {
	DataDir string // required
	Account string // required
}

// first names the file of the account that had keys first: most installations have one account.
func (o Of) first() string { return filepath.Join(o.DataDir, "root-credentials") }

// own names the file of any other account.
func (o Of) own() string { return o.first() + "-" + o.Account }

// Ensure returns given when it is complete, else the account's keys, made from random at the first call.
func Ensure(o Of, given Keys, random io.Reader) (Keys, error) {
	keys, account, err := find(o)
	if err == nil && account == "" { // written before there were several accounts: they are of who comes first, who may use others by now
		if err := write(o.first(), o, keys); err != nil {
			return keys, err
		}
	}
	switch {
	case given.AccessKey != "":
		return given, nil
	case !errors.Is(err, fs.ErrNotExist):
		return keys, err
	}
	if keys, err = generate(random); err != nil {
		return Keys{}, err
	}
	path := o.first()
	if _, err := os.Lstat(path); err == nil {
		path = o.own()
	}
	return keys, write(path, o, keys)
}

// Read returns the account's keys; the error wraps fs.ErrNotExist when none were made yet.
func Read(o Of) (Keys, error) {
	keys, _, err := find(o)
	return keys, err
}

// find answers the account's keys, and the account that their file names, if it does.
func find(o Of) (Keys, string, error) {
	keys, account, err := read(o.first())
	if err != nil || account == "" || account == o.Account {
		return keys, account, err
	}
	keys, account, err = read(o.own())
	if err == nil && account != o.Account {
		return Keys{}, "", fmt.Errorf("root keys: %s holds the keys of account %q", o.own(), account)
	}
	return keys, account, err
}

func read(path string) (keys Keys, account string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Keys{}, "", fmt.Errorf("root keys: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			keys.AccessKey = strings.TrimSpace(value)
		case "aws_secret_access_key":
			keys.SecretKey = strings.TrimSpace(value)
		case "aws_account_id":
			account = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Keys{}, "", fmt.Errorf("root keys: %w", err)
	}
	if keys.AccessKey == "" || keys.SecretKey == "" {
		return Keys{}, "", fmt.Errorf("root keys: %s holds no key pair; remove it and new keys are made", path)
	}
	return keys, account, nil
}

// generate makes keys of the form clients check for: AKIA and 16 letters of base 32; 40 of base 64.
func generate(random io.Reader) (Keys, error) {
	raw := make([]byte, 10+30)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Keys{}, fmt.Errorf("root keys: %w", err)
	}
	return Keys{
		AccessKey: "AKIA" + base32.StdEncoding.EncodeToString(raw[:10]),
		SecretKey: base64.StdEncoding.EncodeToString(raw[10:]),
	}, nil
}

func write(path string, o Of, keys Keys) error {
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	text := fmt.Sprintf("[default]\naws_account_id = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n", o.Account, keys.AccessKey, keys.SecretKey)
	if err := whole.Write(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	return nil
}

// Keep stores keys that another server of the installation has. The account has none yet, or the same.
func Keep(o Of, keys Keys) error {
	have, account, err := find(o)
	switch {
	case err == nil && have == keys:
		return nil
	case err == nil && account != "":
		return fmt.Errorf("root keys: %s has others for account %s than the installation that is joined", o.DataDir, o.Account)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	path := o.first()
	if _, err := os.Lstat(path); err == nil {
		path = o.own()
	}
	return write(path, o, keys)
}
