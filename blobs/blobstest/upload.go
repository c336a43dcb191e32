package blobstest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/blobs"
)

type fakeUpload struct {
	fake    *Fake
	id      string
	content []byte
	written time.Time
	open    bool
}

// Create implements blobs.Writer.
func (f *Fake) Create(_ context.Context, id string) (blobs.Upload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := blobs.CheckID(id); err != nil {
		return nil, err
	}
	if f.uploads[id] != nil {
		return nil, fmt.Errorf("%w: %s", blobs.ErrBusy, id)
	}
	u := &fakeUpload{fake: f, id: id, written: f.now(), open: true}
	f.uploads[id] = u
	return &fakeHandle{u}, nil
}

// Resume implements blobs.Writer.
func (f *Fake) Resume(_ context.Context, id string) (blobs.Upload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := blobs.CheckID(id); err != nil {
		return nil, err
	}
	u := f.uploads[id]
	switch {
	case u == nil:
		return nil, fmt.Errorf("%w: upload %s", blobs.ErrNotFound, id)
	case u.open:
		return nil, fmt.Errorf("%w: %s", blobs.ErrBusy, id)
	}
	u.open = true
	return &fakeHandle{u}, nil
}

// fakeHandle is one user's; u is nil when it ended.
type fakeHandle struct{ u *fakeUpload }

func (h *fakeHandle) ended() error { return fmt.Errorf("%w: the upload ended", blobs.ErrNotFound) }

func (h *fakeHandle) Write(p []byte) (int, error) {
	if h.u == nil {
		return 0, h.ended()
	}
	h.u.fake.mu.Lock()
	defer h.u.fake.mu.Unlock()
	h.u.content, h.u.written = append(h.u.content, p...), h.u.fake.now()
	return len(p), nil
}

func (h *fakeHandle) Size() int64 {
	if h.u == nil {
		return 0
	}
	return int64(len(h.u.content))
}

func (h *fakeHandle) Commit(ctx context.Context, digest string) (blobs.Info, error) {
	if err := blobs.CheckDigest(digest); err != nil {
		return blobs.Info{}, err
	}
	if h.u == nil {
		return blobs.Info{}, h.ended()
	}
	if got := blobs.Digest(h.u.content); got != digest {
		return blobs.Info{}, errors.Join(fmt.Errorf("%w: %s is %s", blobs.ErrMismatch, digest, got), h.Cancel(ctx))
	}
	f, content := h.u.fake, h.u.content
	if err := h.Cancel(ctx); err != nil {
		return blobs.Info{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[digest] = &fakeObject{content: content, touched: f.now()}
	return f.objects[digest].info(digest), nil
}

func (h *fakeHandle) Cancel(context.Context) error {
	if h.u == nil {
		return nil
	}
	h.u.fake.mu.Lock()
	defer h.u.fake.mu.Unlock()
	delete(h.u.fake.uploads, h.u.id)
	h.u = nil
	return nil
}

func (h *fakeHandle) Close() error {
	if h.u == nil {
		return nil
	}
	h.u.fake.mu.Lock()
	defer h.u.fake.mu.Unlock()
	h.u.open = false
	h.u = nil
	return nil
}
