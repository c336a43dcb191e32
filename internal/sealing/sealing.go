// Package sealing keeps the secret that an installation seals records under.
//
// Guarantees:
//
//   - It is made once and is the same after every restart. Servers that were part of an installation before there was one make the same, each
//     by itself: of the key of their authority, which all of them have.
//   - Its file is readable by its owner only, complete or absent. It is not in the store: who has a backup of the records alone has no key.
package sealing

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/internal/whole"
)

// Size is how many bytes the secret has.
const Size = 32

// Path names its file in a data directory.
func Path(dataDir string) string { return filepath.Join(dataDir, "sealing-key") }

// Ensure answers the secret of dataDir, made at the first call: of what all servers have, if there is anything, else of random.
func Ensure(dataDir string, common func() ([]byte, error), random io.Reader) ([]byte, error) {
	have, err := read(dataDir)
	if !errors.Is(err, fs.ErrNotExist) {
		return have, err
	}
	of, err := common()
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	secret := make([]byte, Size)
	if len(of) > 0 {
		secret, err = hkdf.Key(sha256.New, of, nil, "berth: sealing key", Size)
	} else {
		_, err = io.ReadFull(random, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return secret, write(dataDir, secret)
}

// Keep stores the secret that another server of the installation has. There is none yet, or the same.
func Keep(dataDir string, secret []byte) error {
	if len(secret) != Size {
		return fmt.Errorf("sealing key: what was sent has %d bytes, not %d", len(secret), Size)
	}
	switch have, err := read(dataDir); {
	case errors.Is(err, fs.ErrNotExist):
		return write(dataDir, secret)
	case err != nil:
		return err
	case !bytes.Equal(have, secret):
		return fmt.Errorf("sealing key: %s has another one than the installation that is joined", Path(dataDir))
	}
	return nil
}

func read(dataDir string) ([]byte, error) {
	text, err := os.ReadFile(Path(dataDir))
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) != Size {
		return nil, fmt.Errorf("sealing key: %s holds none: put the one of another server or of a backup there", Path(dataDir))
	}
	return secret, nil
}

func write(dataDir string, secret []byte) error {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return fmt.Errorf("sealing key: %w", err)
	}
	text := append(base64.StdEncoding.AppendEncode(nil, secret), '\n')
	if err := whole.Write(Path(dataDir), text, 0o600); err != nil {
		return fmt.Errorf("sealing key: %w", err)
	}
	return nil
}
