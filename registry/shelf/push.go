package shelf

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// Upload is a layer in the making that a request holds.
type Upload struct {
	blobs.Upload
	ID    string
	shelf *Shelf
	repo  *registry.Repository
}

// Begin begins an upload.
func (s *Shelf) Begin(ctx context.Context, r *registry.Repository) (*Upload, error) {
	u := &Upload{shelf: s, repo: r}
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := same(tx, r); err != nil {
			return err
		}
		u.ID = uuid(tx.NewID())
		tables.Uploads.Put(tx, &registry.Upload{Home: r.Home, Repository: r.ID, ID: u.ID, StartedAt: tx.Now()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	u.Upload, err = s.Blobs.Create(ctx, u.ID)
	return u, err
}

// uuid gives 32 hex digits the form of one.
func uuid(id string) string {
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// Resume goes on with an upload of the repository. Close it, or end it by Finish or Abandon.
func (s *Shelf) Resume(ctx context.Context, r *registry.Repository, id string) (*Upload, error) {
	if blobs.CheckID(id) != nil {
		return nil, r.NoUpload(id)
	}
	err := s.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		if _, ok := tables.Uploads.Peek(tx, tables.ContentKey(r.Home, r.ID, id)); !ok {
			return r.NoUpload(id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	u, err := s.Blobs.Resume(ctx, id)
	if errors.Is(err, blobs.ErrNotFound) {
		return nil, r.NoUpload(id)
	}
	if err != nil {
		return nil, err
	}
	return &Upload{Upload: u, ID: id, shelf: s, repo: r}, nil
}

// Finish makes the upload a layer of its repository.
func (u *Upload) Finish(ctx context.Context, digest string) (*registry.Layer, error) {
	info, err := u.Commit(ctx, digest)
	switch {
	case errors.Is(err, blobs.ErrMismatch):
		return nil, errors.Join(u.repo.BadLayer(digest), u.forget(ctx))
	case errors.Is(err, blobs.ErrInvalid):
		return nil, registry.Invalid("layerDigests", "'%s' is not a SHA-256 digest", digest)
	case err != nil:
		return nil, err
	}
	var l *registry.Layer
	err = u.shelf.Store.Update(ctx, func(tx store.Tx) error {
		r, err := same(tx, u.repo)
		if err != nil {
			return err
		}
		tables.AddLayer(tx, r, digest, info.Size)
		tables.Uploads.Delete(tx, tables.ContentKey(r.Home, r.ID, u.ID))
		l, _ = tables.Layers.Peek(tx, tables.ContentKey(r.Home, r.ID, digest))
		return nil
	})
	return l, err
}

// Abandon ends the upload.
func (u *Upload) Abandon(ctx context.Context) error { return errors.Join(u.Cancel(ctx), u.forget(ctx)) }

func (u *Upload) forget(ctx context.Context) error {
	return u.shelf.Store.Update(ctx, func(tx store.Tx) error {
		tables.Uploads.Delete(tx, tables.ContentKey(u.repo.Home, u.repo.ID, u.ID))
		return nil
	})
}

// Manifest is an image that a client pushes.
type Manifest struct {
	MediaType string // optional
	Content   []byte
	Digest    string // optional: what the client takes its digest for
	Tag       string // optional
}

// Put gives the repository an image; it says whether that changed anything.
func (s *Shelf) Put(ctx context.Context, r *registry.Repository, m Manifest) (i *registry.Image, fresh bool, err error) {
	digest := blobs.Digest(m.Content)
	if m.Digest != "" && m.Digest != digest {
		return nil, false, r.BadDigest(m.Digest, digest)
	}
	parsed, err := registry.ParseManifest(m.MediaType, m.Content)
	if err != nil {
		return nil, false, registry.Invalid("imageManifest", "%s", err)
	}
	if _, err := blobs.Put(ctx, s.Blobs, rand.Text(), m.Content); err != nil {
		return nil, false, err
	}
	err = s.Store.Update(ctx, func(tx store.Tx) error {
		now, err := same(tx, r)
		if err != nil {
			return err
		}
		i, fresh, err = tables.PutImage(tx, now, tables.Push{Manifest: parsed, Digest: digest, Tag: m.Tag})
		return err
	})
	return i, fresh, err
}
