// Package shelf puts images and layers into a registry and takes them out: what the ECR API and the OCI protocol share.
//
// Guarantees:
//
//   - What is acknowledged is durable: the content is secured in package blobs before the record that refers to it commits.
//   - An image is there with everything it needs, or not at all.
//   - A layer can be read only from a repository it was pushed to.
//   - Errors that a client caused are *aws.Error with ECR's code and sentence.
package shelf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// Shelf is a store's records and the content they refer to.
type Shelf struct {
	Store store.Store // required
	Blobs blobs.Store // required
}

// Repository answers a repository as it is now.
func (s *Shelf) Repository(ctx context.Context, h registry.Home, name string) (r *registry.Repository, err error) {
	err = s.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		r, err = tables.Repository(tx, h, name)
		return err
	})
	return r, err
}

// Layer answers a layer of a repository.
func (s *Shelf) Layer(ctx context.Context, r *registry.Repository, digest string) (l *registry.Layer, err error) {
	err = s.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		var ok bool
		if l, ok = tables.Layers.Peek(tx, tables.ContentKey(r.Home, r.ID, digest)); !ok {
			return r.NoLayer(digest)
		}
		return nil
	})
	return l, err
}

// promised is how exact the time of a layer is that was promised: a part of the shortest retention.
const promised = 30 * time.Second

// Promise is Layer for whoever tells a client that it need not send a layer. The layer becomes young, so that it is there
// when the image comes that needs it: the image that has had it so far may be deleted in between.
func (s *Shelf) Promise(ctx context.Context, r *registry.Repository, digest string) (l *registry.Layer, err error) {
	key := tables.ContentKey(r.Home, r.ID, digest)
	var young bool
	err = s.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		var ok bool
		if l, ok = tables.Layers.Peek(tx, key); !ok {
			return r.NoLayer(digest)
		}
		young = tx.Now().Sub(l.At) < promised
		return nil
	})
	if err != nil || young {
		return l, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		now, ok := tables.Layers.Get(tx, key)
		if !ok {
			return r.NoLayer(digest)
		}
		tables.AddLayer(tx, r, digest, now.Size)
		return nil
	})
	return l, err
}

// OpenLayer answers a layer and its content.
func (s *Shelf) OpenLayer(ctx context.Context, r *registry.Repository, digest string) (*registry.Layer, io.ReadSeekCloser, error) {
	l, err := s.Layer(ctx, r, digest)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.Blobs.Open(ctx, digest)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil, nil, r.Inaccessible(digest)
	}
	return l, f, err
}

// Mount gives a repository a layer of another without its content being sent.
func (s *Shelf) Mount(ctx context.Context, to *registry.Repository, from, digest string) (l *registry.Layer, err error) {
	info, err := s.Blobs.Touch(ctx, digest)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil, to.NoLayer(digest)
	}
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		source, err := tables.Repository(tx, to.Home, from)
		if err != nil {
			return err
		}
		if _, ok := tables.Layers.Get(tx, tables.ContentKey(source.Home, source.ID, digest)); !ok {
			return source.NoLayer(digest)
		}
		r, err := same(tx, to)
		if err != nil {
			return err
		}
		tables.AddLayer(tx, r, digest, info.Size)
		l, _ = tables.Layers.Peek(tx, tables.ContentKey(r.Home, r.ID, digest))
		return nil
	})
	return l, err
}

// same answers the repository as it is in the transaction, unless it was deleted meanwhile.
func same(tx store.Tx, r *registry.Repository) (*registry.Repository, error) {
	now, err := tables.Repository(tx, r.Home, r.Name)
	if err == nil && now.ID != r.ID {
		err = r.NoRepository(r.Name)
	}
	return now, err
}

// Image answers an image and its manifest. One of digest and tag may be empty.
func (s *Shelf) Image(ctx context.Context, r *registry.Repository, digest, tag string) (i *registry.Image, manifest []byte, err error) {
	err = s.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		i, err = tables.Find(tx, r, digest, tag)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	manifest, err = blobs.Read(ctx, s.Blobs, i.Digest, registry.MaxManifest)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil, nil, fmt.Errorf("the manifest of %s is lost: %w", i.Digest, err)
	}
	return i, manifest, err
}

// pullNoted is how exact the time of the last pull is: ECR's day.
const pullNoted = 24 * time.Hour

// NotePull writes down that an image was pulled, once a day.
func (s *Shelf) NotePull(ctx context.Context, i *registry.Image) error {
	key := tables.ContentKey(i.Home, i.Repository, i.Digest)
	var due bool
	err := s.Store.View(ctx, store.Any, func(tx store.Tx) error {
		p, ok := tables.Pulls.Peek(tx, key)
		due = !ok || tx.Now().Sub(p.At) >= pullNoted
		return nil
	})
	if err != nil || !due {
		return err
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		if _, ok := tables.Images.Get(tx, key); ok {
			tables.Pulls.Put(tx, &registry.Pull{Home: i.Home, Repository: i.Repository, Digest: i.Digest, At: tx.Now()})
		}
		return nil
	})
}
