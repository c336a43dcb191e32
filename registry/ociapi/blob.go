package ociapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

func (c *call) getBlob() error {
	digest := c.vars["digest"]
	if !registry.ValidDigest(digest) {
		return errcode.ErrorCodeDigestInvalid.WithMessage(fmt.Sprintf("'%s' is not a SHA-256 digest", digest))
	}
	if c.r.Method == http.MethodHead { // whoever asks like this is about to push, and to leave out what is here
		if _, err := c.shelf.Promise(c.r.Context(), c.repo, digest); err != nil {
			return unknownBlob(err)
		}
	}
	_, f, err := c.shelf.OpenLayer(c.r.Context(), c.repo, digest)
	if err != nil {
		return unknownBlob(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	head := c.w.Header()
	head.Set("Docker-Content-Digest", digest)
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Etag", strconv.Quote(digest))
	head.Set("Cache-Control", "max-age=31536000")
	http.ServeContent(c.w, c.r, "", time.Time{}, f)
	return nil
}

// unknownBlob puts the absence of a layer as the answer to a question about it.
func unknownBlob(err error) error {
	var e *aws.Error
	if errors.As(err, &e) && e.Code == shape.CodeLayersNotFoundException {
		return errcode.ErrorCodeBlobUnknown.WithMessage(e.Message)
	}
	return err
}

func (c *call) beginUpload() error {
	q := c.r.URL.Query()
	if mount, from := q.Get("mount"), q.Get("from"); registry.ValidDigest(mount) && registry.ValidName(from) {
		l, err := c.shelf.Mount(c.r.Context(), c.repo, from, mount)
		if err == nil {
			return c.created(l)
		}
		if _, ok := errors.AsType[*aws.Error](err); !ok {
			return err
		} // it is not there to be mounted: the client uploads it
	}
	digest := q.Get("digest")
	if digest != "" && !registry.ValidDigest(digest) {
		return errcode.ErrorCodeDigestInvalid.WithMessage(fmt.Sprintf("'%s' is not a SHA-256 digest", digest))
	}
	u, err := c.shelf.Begin(c.r.Context(), c.repo)
	if err != nil {
		return err
	}
	if digest == "" {
		return c.progress(u, http.StatusAccepted)
	}
	if _, err := io.Copy(u, c.r.Body); err != nil {
		return errors.Join(err, u.Abandon(c.r.Context()))
	}
	return c.finish(u, digest)
}

func (c *call) finish(u *shelf.Upload, digest string) error {
	var l *registry.Layer
	var err error
	c.conn.unhurried(func() { l, err = u.Finish(c.r.Context(), digest) })
	if err != nil {
		return errors.Join(err, u.Close())
	}
	return c.created(l)
}

// created answers a layer that the repository has now.
func (c *call) created(l *registry.Layer) error {
	c.w.Header().Set("Location", "/v2/"+c.repo.Name+"/blobs/"+l.Digest)
	c.w.Header().Set("Docker-Content-Digest", l.Digest)
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// progress lets go of an upload and says how far it is.
func (c *call) progress(u *shelf.Upload, status int) error {
	size := u.Size()
	if err := u.Close(); err != nil {
		return err
	}
	c.w.Header().Set("Location", "/v2/"+c.repo.Name+"/blobs/uploads/"+u.ID)
	c.w.Header().Set("Docker-Upload-Uuid", u.ID)
	c.w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, size-1)))
	c.w.WriteHeader(status)
	return nil
}

func (c *call) resume() (u *shelf.Upload, err error) {
	c.conn.unhurried(func() { u, err = c.shelf.Resume(c.r.Context(), c.repo, c.vars["uuid"]) })
	return u, err
}

func (c *call) uploadStatus() error {
	u, err := c.resume()
	if err != nil {
		return err
	}
	return c.progress(u, http.StatusNoContent)
}

func (c *call) patchUpload() error {
	u, err := c.take()
	if err != nil {
		return err
	}
	return c.progress(u, http.StatusAccepted)
}

// take writes the request's body behind what the upload has.
func (c *call) take() (*shelf.Upload, error) {
	u, err := c.resume()
	if err != nil {
		return nil, err
	}
	if from, ok := c.first(); ok && from != u.Size() {
		c.w.Header().Set("Range", fmt.Sprintf("0-%d", max(0, u.Size()-1)))
		return nil, errors.Join(errcode.ErrorCodeRangeInvalid.WithMessage(fmt.Sprintf("the upload has %d bytes, the chunk begins at %d", u.Size(), from)), u.Close())
	}
	if _, err := io.Copy(u, c.r.Body); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errcode.ErrorCodeBlobUploadInvalid.WithMessage("the chunk did not arrive whole")
		}
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// first is the first byte of the chunk, if the request says so.
func (c *call) first() (int64, bool) {
	text := strings.TrimPrefix(c.r.Header.Get("Content-Range"), "bytes ")
	from, _, ok := strings.Cut(text, "-")
	n, err := strconv.ParseInt(from, 10, 64)
	return n, ok && err == nil
}

func (c *call) putUpload() error {
	digest := c.r.URL.Query().Get("digest")
	if !registry.ValidDigest(digest) {
		return errcode.ErrorCodeDigestInvalid.WithMessage(fmt.Sprintf("'%s' is not a SHA-256 digest", digest))
	}
	u, err := c.take()
	if err != nil {
		return err
	}
	return c.finish(u, digest)
}

func (c *call) cancelUpload() error {
	u, err := c.resume()
	if err != nil {
		return err
	}
	if err := u.Abandon(c.r.Context()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
