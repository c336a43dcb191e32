package control

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/blobs/blobstest"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

var us = registry.Home{Account: "000000000000", Region: "us-east-1"}

// world is a registry whose loops run, in a bubble of virtual time.
type world struct {
	*testing.T
	shelf *shelf.Shelf
	full  bool
}

// bubble runs test beside the loops.
func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t}
		s := mem.Open(tables.Schema(), mem.Options{})
		b := blobstest.NewFake(nil)
		w.shelf = &shelf.Shelf{Store: s, Blobs: b}
		l, err := New(Config{Blobs: b, Retention: 24 * time.Hour, Pressed: func() bool { return w.full }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() {
			if err := s.Lead(ctx, l.Run); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
		test(w)
		cancel()
		run.Wait()
		_ = s.Close()
	})
}

// pass lets time go by, and the loops do what is due.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) repository(name, lifecycle string) *registry.Repository {
	w.Helper()
	var r *registry.Repository
	w.must(w.shelf.Store.Update(w.Context(), func(tx store.Tx) error {
		r = &registry.Repository{Home: us, Name: name, ID: tx.NewID(), CreatedAt: tx.Now(), Mutability: "MUTABLE", Lifecycle: lifecycle}
		tables.Repositories.Put(tx, r)
		return nil
	}))
	return r
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) layer(r *registry.Repository, content string) string {
	w.Helper()
	u, err := w.shelf.Begin(w.Context(), r)
	w.must(err)
	_, err = io.WriteString(u, content)
	w.must(err)
	digest := blobs.Digest([]byte(content))
	_, err = u.Finish(w.Context(), digest)
	w.must(err)
	return digest
}

// image pushes one of the given configuration and a layer that all share.
func (w *world) image(r *registry.Repository, tag, config string) string {
	w.Helper()
	doc, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": registry.OCIManifest,
		"config": map[string]any{"digest": w.layer(r, config), "size": 1},
		"layers": []any{map[string]any{"digest": w.layer(r, "shared"), "size": 1}}})
	w.must(err)
	i, _, err := w.shelf.Put(w.Context(), r, shelf.Manifest{Content: doc, Tag: tag})
	w.must(err)
	return i.Digest
}

// holds counts what there is, of every kind.
func (w *world) holds(want string) {
	w.Helper()
	n := map[string]int{}
	for _, err := range w.shelf.Blobs.List(w.Context()) {
		w.must(err)
		n["blobs"]++
	}
	for _, err := range w.shelf.Blobs.Uploads(w.Context()) {
		w.must(err)
		n["uploads"]++
	}
	w.must(w.shelf.Store.View(w.Context(), store.Fresh, func(tx store.Tx) error {
		for range tables.Images.List(tx, "", "") {
			n["images"]++
		}
		for range tables.Tags.List(tx, "", "") {
			n["tags"]++
		}
		for range tables.Layers.List(tx, "", "") {
			n["layers"]++
		}
		for range tables.Uploads.List(tx, "", "") {
			n["records"]++
		}
		for range tables.Contents.List(tx, "", "") {
			n["records"]++
		}
		return nil
	}))
	got := fmt.Sprintf("images %d tags %d layers %d blobs %d uploads %d records %d", n["images"], n["tags"], n["layers"], n["blobs"], n["uploads"], n["records"])
	if got != want {
		w.Errorf("holds %s\nwant  %s", got, want)
	}
}

func TestUnfinishedPushesAreSwept(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.repository("app", "")
		w.image(r, "v1", "one")
		w.layer(r, "never used")
		u, err := w.shelf.Begin(w.Context(), r)
		w.must(err)
		_, err = io.WriteString(u, "half")
		w.must(err)
		w.must(u.Close())
		w.pass(23 * time.Hour)
		w.holds("images 1 tags 1 layers 3 blobs 4 uploads 1 records 2")
		w.pass(2 * time.Hour)
		w.holds("images 1 tags 1 layers 2 blobs 3 uploads 0 records 1")
		if _, _, err := w.shelf.Image(w.Context(), r, "", "v1"); err != nil {
			t.Error(err)
		}
	})
}

func TestPressureShortensTheWait(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.repository("app", "")
		w.layer(r, "never used")
		w.full = true
		w.pass(90 * time.Minute)
		w.holds("images 0 tags 0 layers 0 blobs 0 uploads 0 records 1")
	})
}

func TestDeletedRepositoryIsForgotten(t *testing.T) {
	bubble(t, func(w *world) {
		r, other := w.repository("app", ""), w.repository("other", "")
		for i := range 5 {
			w.image(r, fmt.Sprintf("v%d", i), fmt.Sprintf("config %d", i))
		}
		w.image(other, "v1", "config 1")
		w.must(w.shelf.Store.Update(w.Context(), func(tx store.Tx) error {
			_, err := tables.DeleteRepository(tx, us, "app", true)
			return err
		}))
		w.pass(time.Second)
		w.holds("images 1 tags 1 layers 2 blobs 11 uploads 0 records 1")
		w.pass(25 * time.Hour)
		w.holds("images 1 tags 1 layers 2 blobs 3 uploads 0 records 1") // what the other needs stays
	})
}

func TestLifecyclePolicies(t *testing.T) {
	rule := func(selection string) string {
		return `{"rules":[{"rulePriority":1,"selection":{` + selection + `},"action":{"type":"expire"}}]}`
	}
	bubble(t, func(w *world) {
		newest := w.repository("newest", rule(`"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2`))
		young := w.repository("young", rule(`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":3`))
		for i := range 4 {
			w.image(newest, fmt.Sprintf("v%d", i), fmt.Sprintf("config %d", i))
			w.pass(time.Minute)
		}
		w.holds("images 2 tags 2 layers 5 blobs 9 uploads 0 records 1")
		w.image(young, "", "untagged")
		w.image(young, "kept", "tagged")
		w.pass(71 * time.Hour)
		w.holds("images 4 tags 3 layers 6 blobs 9 uploads 0 records 2")
		w.pass(2 * time.Hour)
		w.holds("images 3 tags 3 layers 5 blobs 7 uploads 0 records 2")
		w.must(w.shelf.Store.View(w.Context(), store.Any, func(tx store.Tx) error {
			e, ok := tables.Expiries.Peek(tx, tables.At(us).Key(young.ID))
			if !ok || time.Since(e.At) > 3*time.Hour {
				t.Errorf("evaluated %+v", e)
			}
			return nil
		}))
	})
}

// A client that was told that a layer is there does not send it: the image that had it may go, the layer may not.
func TestPromisedLayersStay(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.repository("app", "")
		old := w.image(r, "v1", "old")
		w.pass(48 * time.Hour)
		_, err := w.shelf.Promise(w.Context(), r, blobs.Digest([]byte("shared")))
		w.must(err)
		w.must(w.shelf.Store.Update(w.Context(), func(tx store.Tx) error {
			i, err := tables.Find(tx, r, old, "")
			if err == nil {
				tables.DeleteImage(tx, i)
			}
			return err
		}))
		w.pass(time.Hour)
		w.holds("images 0 tags 0 layers 1 blobs 1 uploads 0 records 1")
		w.pass(24 * time.Hour)
		w.holds("images 0 tags 0 layers 0 blobs 0 uploads 0 records 1")
	})
}

// What must never happen: an image that was acknowledged misses something because a sweep went on at the same time.
func TestPushesBesideSweeps(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.repository("app", "")
		w.layer(r, "shared")
		w.pass(24*time.Hour - time.Millisecond) // the shared layer is about to go
		var pushes sync.WaitGroup
		digests := make(chan string, 100)
		for i := range 40 {
			pushes.Go(func() {
				time.Sleep(time.Duration(i) * time.Minute)
				digests <- w.image(r, fmt.Sprintf("v%d", i), fmt.Sprintf("config %d", i))
			})
		}
		pushes.Wait()
		close(digests)
		w.pass(time.Hour)
		for d := range digests {
			i, _, err := w.shelf.Image(w.Context(), r, d, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range i.Layers {
				if _, f, err := w.shelf.OpenLayer(w.Context(), r, l); err != nil {
					t.Errorf("%s of %s: %v", l, strings.TrimPrefix(d, "sha256:")[:8], err)
				} else {
					_ = f.Close()
				}
			}
		}
	})
}
