// Package dir keeps blobs in a directory of one machine.
//
// What it guarantees beyond the port: an upload is one file, synced before it is renamed to its object's name, and the
// directory is synced before Commit returns; so the only leftovers of a crash are uploads, which Uploads lists. One
// process uses the directory at a time.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/berth-ecs/berth/blobs"
)

// Store is a directory of blobs.
type Store struct {
	root string
	now  func() time.Time

	mu     sync.Mutex        // held while an object comes, goes or is touched: none of it waits for content
	open   map[string]bool   // uploads that have a user
	hashes map[string]hashed // of closed uploads, so that resuming need not read them again
}

var _ blobs.Store = (*Store)(nil)

// Open makes the directory if it is not there. now may be nil.
func Open(root string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	s := &Store{root: root, now: now, open: map[string]bool{}, hashes: map[string]hashed{}}
	for _, d := range []string{s.uploads(), s.objects()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("blobs: %w", err)
		}
	}
	return s, syncDirs(root, filepath.Dir(root))
}

func (s *Store) uploads() string         { return filepath.Join(s.root, "uploads") }
func (s *Store) upload(id string) string { return filepath.Join(s.uploads(), id) }
func (s *Store) objects() string         { return filepath.Join(s.root, "sha256") }
func (s *Store) object(digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return filepath.Join(s.objects(), hex[:2], hex)
}

// Stat implements blobs.Reader.
func (s *Store) Stat(_ context.Context, digest string) (blobs.Info, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return blobs.Info{}, err
	}
	return s.stat(digest)
}

func (s *Store) stat(digest string) (blobs.Info, error) {
	f, err := os.Stat(s.object(digest))
	if err != nil {
		return blobs.Info{}, missing(digest, err)
	}
	return blobs.Info{Digest: digest, Size: f.Size(), Touched: f.ModTime()}, nil
}

// Open implements blobs.Reader.
func (s *Store) Open(_ context.Context, digest string) (io.ReadSeekCloser, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return nil, err
	}
	f, err := os.Open(s.object(digest))
	if err != nil {
		return nil, missing(digest, err)
	}
	return f, nil
}

// Touch implements blobs.Writer.
func (s *Store) Touch(_ context.Context, digest string) (blobs.Info, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return blobs.Info{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touch(digest)
}

func (s *Store) touch(digest string) (blobs.Info, error) {
	now := s.now()
	if err := os.Chtimes(s.object(digest), now, now); err != nil {
		return blobs.Info{}, missing(digest, err)
	}
	return s.stat(digest)
}

// Delete implements blobs.Sweeper.
func (s *Store) Delete(_ context.Context, digest string, since time.Time) (bool, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.stat(digest)
	switch {
	case errors.Is(err, blobs.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !info.Touched.Before(since):
		return false, nil
	}
	if err := os.Remove(s.object(digest)); err != nil {
		return false, fmt.Errorf("blobs: %w", err)
	}
	return true, nil
}

// Abort implements blobs.Sweeper.
func (s *Store) Abort(_ context.Context, id string, since time.Time) (bool, error) {
	if err := blobs.CheckID(id); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.Stat(s.upload(id))
	if errors.Is(err, fs.ErrNotExist) || s.open[id] {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("blobs: %w", err)
	}
	if !f.ModTime().Before(since) {
		return false, nil
	}
	delete(s.hashes, id)
	if err := os.Remove(s.upload(id)); err != nil {
		return false, fmt.Errorf("blobs: %w", err)
	}
	return true, nil
}

// missing gives an error of the file system the port's words.
func missing(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", blobs.ErrNotFound, name)
	}
	return fmt.Errorf("blobs: %w", err)
}

// syncDirs makes the names in directories durable.
func syncDirs(dirs ...string) error {
	for _, d := range dirs {
		f, err := os.Open(d)
		if err != nil {
			return fmt.Errorf("blobs: %w", err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("blobs: sync %s: %w", d, err)
		}
	}
	return nil
}
