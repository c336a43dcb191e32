// Package blobs keeps bulk content: immutable objects that are named by the SHA-256 of what is in them.
//
// What it guarantees, on every implementation (package blobstest checks it):
//
//   - An object is there whole or not at all, also after a crash: it appears when Commit has verified and secured it.
//   - When Commit returns nil, no crash loses the object.
//   - What was written to an upload and closed can be resumed, by its id, also by another process.
//   - Delete removes nothing that was committed or touched at or after the time it is given. So whoever sweeps decides what
//     nobody refers to, and whoever refers to an object touches it before its reference is written: neither waits for
//     the other, and no referenced object goes.
//
// What refers to an object is a record of the store; this package knows nothing of it.
package blobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"time"
)

var (
	// ErrNotFound is wrapped when there is no such object or upload.
	ErrNotFound = errors.New("blobs: not found")
	// ErrMismatch is wrapped by Commit when the content is not what the digest says.
	ErrMismatch = errors.New("blobs: content does not match its digest")
	// ErrBusy is wrapped when an upload is open already.
	ErrBusy = errors.New("blobs: upload is in use")
	// ErrInvalid is wrapped when a digest or an id has not the form of one.
	ErrInvalid = errors.New("blobs: invalid name")
)

// Info describes an object.
type Info struct {
	Digest  string // "sha256:" and 64 hex digits
	Size    int64
	Touched time.Time // when it was committed or touched last
}

// UploadInfo describes an upload that was not committed.
type UploadInfo struct {
	ID      string
	Size    int64
	Written time.Time // when it was written to last
}

// Store is the port. It is safe for concurrent use.
type Store interface {
	Reader
	Writer
	Sweeper
}

// Reader reads objects.
type Reader interface {
	Stat(ctx context.Context, digest string) (Info, error)
	// Open answers the content; the object may be deleted meanwhile and is read to its end all the same.
	Open(ctx context.Context, digest string) (io.ReadSeekCloser, error)
}

// Writer makes objects.
type Writer interface {
	// Create begins an upload under an id of the caller's: 1 to 64 letters, digits and hyphens.
	Create(ctx context.Context, id string) (Upload, error)
	// Resume goes on with an upload that was closed.
	Resume(ctx context.Context, id string) (Upload, error)
	// Touch says that the object is about to be referred to.
	Touch(ctx context.Context, digest string) (Info, error)
}

// Sweeper is for whoever removes what is not needed.
type Sweeper interface {
	// List yields every object; what comes or goes meanwhile may be missed.
	List(ctx context.Context) iter.Seq2[Info, error]
	// Uploads yields every upload that was not committed.
	Uploads(ctx context.Context) iter.Seq2[UploadInfo, error]
	// Delete removes an object unless it was committed or touched at or after since; it says whether it did.
	Delete(ctx context.Context, digest string, since time.Time) (bool, error)
	// Abort removes an upload that is not open and was not written to at or after since; it says whether it did.
	Abort(ctx context.Context, id string, since time.Time) (bool, error)
}

// Upload is an object in the making, of one user at a time.
type Upload interface {
	io.Writer
	Size() int64
	// Commit makes the object and ends the upload. On an ErrMismatch the upload ends too.
	Commit(ctx context.Context, digest string) (Info, error)
	// Cancel ends the upload and forgets what was written.
	Cancel(ctx context.Context) error
	// Close lets go of the upload; what was written can be resumed. After Commit or Cancel it does nothing.
	Close() error
}

var (
	digestRule = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	idRule     = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// CheckDigest refuses what is not the name of an object.
func CheckDigest(digest string) error {
	if !digestRule.MatchString(digest) {
		return fmt.Errorf("%w: digest %q", ErrInvalid, digest)
	}
	return nil
}

// CheckID refuses what is not the id of an upload.
func CheckID(id string) error {
	if !idRule.MatchString(id) {
		return fmt.Errorf("%w: upload %q", ErrInvalid, id)
	}
	return nil
}

// Digest is the name of content.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Put makes an object of content that is in memory; id is the upload's.
func Put(ctx context.Context, w Writer, id string, content []byte) (Info, error) {
	u, err := w.Create(ctx, id)
	if err != nil {
		return Info{}, err
	}
	if _, err := io.Copy(u, bytes.NewReader(content)); err != nil {
		return Info{}, errors.Join(err, u.Cancel(ctx))
	}
	info, err := u.Commit(ctx, Digest(content))
	if err != nil {
		return Info{}, errors.Join(err, u.Cancel(ctx))
	}
	return info, nil
}

// Read answers the whole content of an object of at most limit bytes.
func Read(ctx context.Context, r Reader, digest string, limit int64) ([]byte, error) {
	f, err := r.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("blobs: %s is above %d bytes", digest, limit)
	}
	return content, nil
}
