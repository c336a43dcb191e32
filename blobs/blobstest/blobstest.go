// Package blobstest is the conformance suite of package blobs, and a fake that passes it.
package blobstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/berth-ecs/berth/blobs"
)

// Opener opens a store whose clock is now. Opening again what reopen was given must find what is there; it is nil for a
// store that does not outlive its process.
type Opener func(t *testing.T, now func() time.Time) (s blobs.Store, reopen func() blobs.Store)

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for name, test := range map[string]func(*bench){
		"an object is what was committed":          (*bench).committed,
		"a digest that does not match is refused":  (*bench).mismatch,
		"an upload is resumed where it was closed": (*bench).resumed,
		"an upload has one user":                   (*bench).oneUser,
		"what was cancelled is gone":               (*bench).cancelled,
		"names are checked":                        (*bench).names,
		"what was touched is not deleted":          (*bench).touched,
		"an old upload is aborted":                 (*bench).aborted,
		"the same content from many at once":       (*bench).together,
		"nothing is lost by another process":       (*bench).reopened,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{T: t, clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
			b.store, b.reopen = open(t, b.now)
			test(b)
		})
	}
}

type bench struct {
	*testing.T
	store  blobs.Store
	reopen func() blobs.Store
	mu     sync.Mutex
	clock  time.Time
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func (b *bench) put(id, content string) blobs.Info {
	b.Helper()
	info, err := blobs.Put(b.Context(), b.store, id, []byte(content))
	if err != nil {
		b.Fatal(err)
	}
	return info
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) want(err, kind error) {
	b.Helper()
	if !errors.Is(err, kind) {
		b.Errorf("got %v, want %v", err, kind)
	}
}

func (b *bench) reads(digest, content string) {
	b.Helper()
	got, err := blobs.Read(b.Context(), b.store, digest, 1<<20)
	if err != nil || string(got) != content {
		b.Errorf("read %q, %v; want %q", got, err, content)
	}
}

func (b *bench) committed() {
	info := b.put("u1", "hello")
	if info.Digest != blobs.Digest([]byte("hello")) || info.Size != 5 || !info.Touched.Equal(b.now()) {
		b.Errorf("committed %+v", info)
	}
	b.put("u2", "hello") // again is the same
	b.reads(info.Digest, "hello")
	if again, err := b.store.Stat(b.Context(), info.Digest); err != nil || again.Size != 5 {
		b.Errorf("stat %+v, %v", again, err)
	}
	f, err := b.store.Open(b.Context(), info.Digest)
	b.must(err)
	if _, err := f.Seek(2, io.SeekStart); err != nil {
		b.Error(err)
	}
	if rest, err := io.ReadAll(f); err != nil || string(rest) != "llo" {
		b.Errorf("from 2: %q, %v", rest, err)
	}
	b.must(f.Close())
	n := 0
	for i, err := range b.store.List(b.Context()) {
		b.must(err)
		if n++; i.Digest != info.Digest {
			b.Errorf("listed %+v", i)
		}
	}
	if n != 1 || b.uploads() != 0 {
		b.Errorf("%d objects and %d uploads, want 1 and none", n, b.uploads())
	}
	_, err = b.store.Stat(b.Context(), blobs.Digest([]byte("other")))
	b.want(err, blobs.ErrNotFound)
	_, err = b.store.Open(b.Context(), blobs.Digest([]byte("other")))
	b.want(err, blobs.ErrNotFound)
}

func (b *bench) uploads() (n int) {
	for _, err := range b.store.Uploads(b.Context()) {
		b.must(err)
		n++
	}
	return n
}

func (b *bench) mismatch() {
	u, err := b.store.Create(b.Context(), "u")
	b.must(err)
	_, err = io.WriteString(u, "content")
	b.must(err)
	_, err = u.Commit(b.Context(), blobs.Digest([]byte("other")))
	b.want(err, blobs.ErrMismatch)
	b.must(u.Close())
	_, err = b.store.Stat(b.Context(), blobs.Digest([]byte("other")))
	b.want(err, blobs.ErrNotFound)
	if b.uploads() != 0 {
		b.Error("the upload did not end")
	}
}

func (b *bench) resumed() {
	for i, part := range []string{"one ", "two ", "three"} {
		var u blobs.Upload
		var err error
		if i == 0 {
			u, err = b.store.Create(b.Context(), "u")
		} else {
			u, err = b.store.Resume(b.Context(), "u")
		}
		b.must(err)
		if u.Size() != int64(4*i) {
			b.Errorf("part %d begins at %d", i, u.Size())
		}
		_, err = io.WriteString(u, part)
		b.must(err)
		b.must(u.Close())
		if b.reopen != nil {
			b.store = b.reopen()
		}
	}
	u, err := b.store.Resume(b.Context(), "u")
	b.must(err)
	digest := blobs.Digest([]byte("one two three"))
	_, err = u.Commit(b.Context(), digest)
	b.must(err)
	b.must(u.Close())
	b.reads(digest, "one two three")
	_, err = b.store.Resume(b.Context(), "u")
	b.want(err, blobs.ErrNotFound)
}

func (b *bench) oneUser() {
	u, err := b.store.Create(b.Context(), "u")
	b.must(err)
	_, err = b.store.Resume(b.Context(), "u")
	b.want(err, blobs.ErrBusy)
	_, err = b.store.Create(b.Context(), "u")
	b.want(err, blobs.ErrBusy)
	if done, err := b.store.Abort(b.Context(), "u", b.now().Add(time.Hour)); done || err != nil {
		b.Errorf("an open upload was aborted: %v, %v", done, err)
	}
	b.must(u.Close())
	u, err = b.store.Resume(b.Context(), "u")
	b.must(err)
	b.must(u.Close())
}

func (b *bench) cancelled() {
	u, err := b.store.Create(b.Context(), "u")
	b.must(err)
	b.must(u.Cancel(b.Context()))
	b.must(u.Cancel(b.Context()))
	b.must(u.Close())
	_, err = u.Write([]byte("late"))
	b.want(err, blobs.ErrNotFound)
	_, err = b.store.Resume(b.Context(), "u")
	b.want(err, blobs.ErrNotFound)
}

func (b *bench) names() {
	for _, digest := range []string{"", "sha256:", "sha256:../../etc/passwd", "md5:" + fmt.Sprintf("%064d", 0), "sha256:" + fmt.Sprintf("%064X", 255)} {
		_, err := b.store.Stat(b.Context(), digest)
		b.want(err, blobs.ErrInvalid)
		_, err = b.store.Open(b.Context(), digest)
		b.want(err, blobs.ErrInvalid)
		_, err = b.store.Touch(b.Context(), digest)
		b.want(err, blobs.ErrInvalid)
		_, err = b.store.Delete(b.Context(), digest, b.now())
		b.want(err, blobs.ErrInvalid)
	}
	for _, id := range []string{"", "..", "a/b", "a b"} {
		_, err := b.store.Create(b.Context(), id)
		b.want(err, blobs.ErrInvalid)
		_, err = b.store.Resume(b.Context(), id)
		b.want(err, blobs.ErrInvalid)
		_, err = b.store.Abort(b.Context(), id, b.now())
		b.want(err, blobs.ErrInvalid)
	}
}

func (b *bench) touched() {
	digest := b.put("u", "content").Digest
	committed := b.now()
	b.deleted(digest, committed, false)
	b.pass(time.Hour)
	if i, err := b.store.Touch(b.Context(), digest); err != nil || !i.Touched.Equal(b.now()) {
		b.Errorf("touched %+v, %v", i, err)
	}
	b.deleted(digest, b.now(), false)
	b.pass(time.Hour)
	b.put("u", "content") // counts as a touch
	b.deleted(digest, b.now(), false)
	b.pass(time.Hour)
	f, err := b.store.Open(b.Context(), digest)
	b.must(err)
	b.deleted(digest, b.now(), true)
	b.deleted(digest, b.now(), false)
	if all, err := io.ReadAll(f); err != nil || string(all) != "content" {
		b.Errorf("who reads is cut off: %q, %v", all, err)
	}
	b.must(f.Close())
	_, err = b.store.Touch(b.Context(), digest)
	b.want(err, blobs.ErrNotFound)
}

func (b *bench) deleted(digest string, since time.Time, want bool) {
	b.Helper()
	if got, err := b.store.Delete(b.Context(), digest, since); err != nil || got != want {
		b.Errorf("deleted: %v, %v; want %v", got, err, want)
	}
}

func (b *bench) aborted() {
	u, err := b.store.Create(b.Context(), "u")
	b.must(err)
	_, err = io.WriteString(u, "part")
	b.must(err)
	b.must(u.Close())
	var found blobs.UploadInfo
	for i, err := range b.store.Uploads(b.Context()) {
		b.must(err)
		found = i
	}
	if found.ID != "u" || found.Size != 4 || found.Written.IsZero() {
		b.Errorf("found %+v", found)
	}
	if done, err := b.store.Abort(b.Context(), "u", found.Written); done || err != nil {
		b.Errorf("aborted too early: %v, %v", done, err)
	}
	if done, err := b.store.Abort(b.Context(), "u", found.Written.Add(time.Second)); !done || err != nil {
		b.Errorf("not aborted: %v, %v", done, err)
	}
	_, err = b.store.Resume(b.Context(), "u")
	b.want(err, blobs.ErrNotFound)
	if done, err := b.store.Abort(b.Context(), "u", found.Written); done || err != nil {
		b.Errorf("aborted twice: %v, %v", done, err)
	}
}

func (b *bench) together() {
	var all sync.WaitGroup
	digest := blobs.Digest([]byte("shared"))
	for i := range 8 {
		all.Go(func() {
			if _, err := blobs.Put(context.WithoutCancel(b.Context()), b.store, fmt.Sprintf("u%d", i), []byte("shared")); err != nil {
				b.Error(err)
			}
			_, _ = b.store.Delete(b.Context(), digest, b.now()) // touched just now: never
		})
	}
	all.Wait()
	b.reads(digest, "shared")
	if b.uploads() != 0 {
		b.Error("uploads are left")
	}
}

func (b *bench) reopened() {
	if b.reopen == nil {
		b.Skip("it does not outlive its process")
	}
	digest := b.put("u", "content").Digest
	b.store = b.reopen()
	b.reads(digest, "content")
}
