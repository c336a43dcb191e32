// Package rootkeys keeps the access keys of the installation's root.
//
// Guarantees:
//
//   - The keys are made once and are the same after every restart; given keys win over made ones and are not written.
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
)

// Keys is a key pair that signs requests.
type Keys struct {
	AccessKey string
	SecretKey string
}

// Path names the file of the keys in a data directory.
func Path(dataDir string) string { return filepath.Join(dataDir, "root-credentials") }

// Ensure returns given when it is complete, else the keys of dataDir, made from random at the first call.
func Ensure(dataDir string, given Keys, random io.Reader) (Keys, error) {
	if given.AccessKey != "" {
		return given, nil
	}
	keys, err := Read(dataDir)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if keys, err = generate(random); err != nil {
		return Keys{}, err
	}
	return keys, write(dataDir, keys)
}

// Read returns the keys of dataDir; the error wraps fs.ErrNotExist when none were made yet.
func Read(dataDir string) (Keys, error) {
	f, err := os.Open(Path(dataDir))
	if err != nil {
		return Keys{}, fmt.Errorf("root keys: %w", err)
	}
	defer f.Close()
	var keys Keys
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			keys.AccessKey = strings.TrimSpace(value)
		case "aws_secret_access_key":
			keys.SecretKey = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Keys{}, fmt.Errorf("root keys: %w", err)
	}
	if keys.AccessKey == "" || keys.SecretKey == "" {
		return Keys{}, fmt.Errorf("root keys: %s holds no key pair; remove it and new keys are made", Path(dataDir))
	}
	return keys, nil
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

func write(dataDir string, keys Keys) error {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", keys.AccessKey, keys.SecretKey)
	fresh := Path(dataDir) + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	if err := os.Rename(fresh, Path(dataDir)); err != nil {
		return fmt.Errorf("root keys: %w", err)
	}
	return nil
}
