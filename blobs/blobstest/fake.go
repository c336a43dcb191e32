package blobstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/berth-ecs/berth/blobs"
)

// Fake is a blobs.Store in memory.
type Fake struct {
	now     func() time.Time
	mu      sync.Mutex
	objects map[string]*fakeObject
	uploads map[string]*fakeUpload
}

var _ blobs.Store = (*Fake)(nil)

type fakeObject struct {
	content []byte
	touched time.Time
}

// NewFake makes an empty one. now may be nil.
func NewFake(now func() time.Time) *Fake {
	if now == nil {
		now = time.Now
	}
	return &Fake{now: now, objects: map[string]*fakeObject{}, uploads: map[string]*fakeUpload{}}
}

func (f *Fake) find(digest string) (*fakeObject, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return nil, err
	}
	o := f.objects[digest]
	if o == nil {
		return nil, fmt.Errorf("%w: %s", blobs.ErrNotFound, digest)
	}
	return o, nil
}

func (o *fakeObject) info(digest string) blobs.Info {
	return blobs.Info{Digest: digest, Size: int64(len(o.content)), Touched: o.touched}
}

// Stat implements blobs.Reader.
func (f *Fake) Stat(_ context.Context, digest string) (blobs.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.find(digest)
	if err != nil {
		return blobs.Info{}, err
	}
	return o.info(digest), nil
}

// Open implements blobs.Reader.
func (f *Fake) Open(_ context.Context, digest string) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.find(digest)
	if err != nil {
		return nil, err
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(o.content), io.NopCloser(nil)}, nil
}

// Touch implements blobs.Writer.
func (f *Fake) Touch(_ context.Context, digest string) (blobs.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.find(digest)
	if err != nil {
		return blobs.Info{}, err
	}
	o.touched = f.now()
	return o.info(digest), nil
}

// List implements blobs.Sweeper.
func (f *Fake) List(context.Context) iter.Seq2[blobs.Info, error] {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []blobs.Info
	for _, d := range slices.Sorted(maps.Keys(f.objects)) {
		all = append(all, f.objects[d].info(d))
	}
	return without(all)
}

// Uploads implements blobs.Sweeper.
func (f *Fake) Uploads(context.Context) iter.Seq2[blobs.UploadInfo, error] {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []blobs.UploadInfo
	for _, id := range slices.Sorted(maps.Keys(f.uploads)) {
		u := f.uploads[id]
		all = append(all, blobs.UploadInfo{ID: id, Size: int64(len(u.content)), Written: u.written})
	}
	return without(all)
}

// without yields what cannot fail.
func without[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Delete implements blobs.Sweeper.
func (f *Fake) Delete(_ context.Context, digest string, since time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := blobs.CheckDigest(digest); err != nil {
		return false, err
	}
	o := f.objects[digest]
	if o == nil || !o.touched.Before(since) {
		return false, nil
	}
	delete(f.objects, digest)
	return true, nil
}

// Abort implements blobs.Sweeper.
func (f *Fake) Abort(_ context.Context, id string, since time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := blobs.CheckID(id); err != nil {
		return false, err
	}
	u := f.uploads[id]
	if u == nil || u.open || !u.written.Before(since) {
		return false, nil
	}
	delete(f.uploads, id)
	return true, nil
}
