package dir

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/blobs"
)

// hashed is the digest so far of an upload's first size bytes.
type hashed struct {
	hash hash.Hash
	size int64
}

// upload is an open upload: a file, and the digest of what is in it.
type upload struct {
	store *Store
	id    string
	file  *os.File // nil when it ended
	hashed
}

// Create implements blobs.Writer.
func (s *Store) Create(_ context.Context, id string) (blobs.Upload, error) {
	return s.begin(id, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// Resume implements blobs.Writer.
func (s *Store) Resume(_ context.Context, id string) (blobs.Upload, error) {
	u, err := s.begin(id, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := u.catchUp(); err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

func (s *Store) begin(id string, flags int) (*upload, error) {
	if err := blobs.CheckID(id); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] {
		return nil, fmt.Errorf("%w: %s", blobs.ErrBusy, id)
	}
	f, err := os.OpenFile(s.upload(id), flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %s", blobs.ErrBusy, id)
	}
	if err != nil {
		return nil, missing("upload "+id, err)
	}
	u := &upload{store: s, id: id, file: f, hashed: s.hashes[id]}
	if u.hash == nil {
		u.hashed = hashed{hash: sha256.New()}
	}
	s.open[id] = true
	delete(s.hashes, id)
	return u, nil
}

// catchUp brings the digest to the end of the file: what an earlier process wrote is read again.
func (u *upload) catchUp() error {
	f, err := u.file.Stat()
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	if f.Size() < u.size { // a crash of the machine took what was not synced
		u.hashed = hashed{hash: sha256.New()}
	}
	if _, err := u.file.Seek(u.size, io.SeekStart); err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	n, err := io.Copy(u.hash, u.file)
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	u.size += n
	return nil
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	if u.file == nil {
		return 0, fmt.Errorf("%w: upload %s ended", blobs.ErrNotFound, u.id)
	}
	n, err := u.file.Write(p)
	u.hash.Write(p[:n])
	u.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("blobs: %w", err)
	}
	return n, nil
}

// Size implements blobs.Upload.
func (u *upload) Size() int64 { return u.size }

// Commit implements blobs.Upload.
func (u *upload) Commit(ctx context.Context, digest string) (blobs.Info, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return blobs.Info{}, err
	}
	if u.file == nil {
		return blobs.Info{}, fmt.Errorf("%w: upload %s ended", blobs.ErrNotFound, u.id)
	}
	if got := "sha256:" + hex.EncodeToString(u.hash.Sum(nil)); got != digest {
		return blobs.Info{}, errors.Join(fmt.Errorf("%w: %s is %s", blobs.ErrMismatch, digest, got), u.Cancel(ctx))
	}
	if err := u.file.Sync(); err != nil {
		return blobs.Info{}, fmt.Errorf("blobs: sync: %w", err)
	}
	info, err := u.store.place(u.id, digest)
	if err != nil {
		return blobs.Info{}, err
	}
	return info, u.end(false)
}

// place gives a synced upload its object's name, or drops it for the object that is there. Its directories are synced
// either way: who put that object there may not have come so far.
func (s *Store) place(id, digest string) (blobs.Info, error) {
	path := s.object(digest)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return blobs.Info{}, fmt.Errorf("blobs: %w", err)
	}
	s.mu.Lock()
	info, err := s.touch(digest)
	switch {
	case errors.Is(err, blobs.ErrNotFound):
		if err = os.Rename(s.upload(id), path); err == nil {
			info, err = s.touch(digest)
		}
	case err == nil:
		err = os.Remove(s.upload(id))
	}
	s.mu.Unlock()
	if err != nil {
		return blobs.Info{}, fmt.Errorf("blobs: %w", err)
	}
	return info, syncDirs(filepath.Dir(path), s.objects())
}

// Cancel implements blobs.Upload.
func (u *upload) Cancel(context.Context) error {
	if u.file == nil {
		return nil
	}
	return errors.Join(os.Remove(u.store.upload(u.id)), u.end(false))
}

// Close implements blobs.Upload.
func (u *upload) Close() error {
	if u.file == nil {
		return nil
	}
	return u.end(true)
}

func (u *upload) end(keep bool) error {
	err := u.file.Close()
	u.file = nil
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	delete(u.store.open, u.id)
	if keep && err == nil {
		u.store.hashes[u.id] = u.hashed
	}
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	return nil
}
