package ociapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// reference reads the route's: a digest or a tag.
func (c *call) reference() (digest, tag string, err error) {
	ref := c.vars["reference"]
	switch {
	case registry.ValidDigest(ref):
		return ref, "", nil
	case strings.Contains(ref, ":"):
		return "", "", errcode.ErrorCodeDigestInvalid.WithMessage(fmt.Sprintf("'%s' is not a SHA-256 digest", ref))
	case !registry.ValidTag(ref):
		return "", "", errcode.ErrorCodeTagInvalid.WithMessage(fmt.Sprintf("invalid tag '%s'", ref))
	}
	return "", ref, nil
}

func (c *call) getManifest() error {
	digest, tag, err := c.reference()
	if err != nil {
		return err
	}
	i, manifest, err := c.shelf.Image(c.r.Context(), c.repo, digest, tag)
	if err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("Docker-Content-Digest", i.Digest)
	head.Set("Etag", strconv.Quote(i.Digest))
	if c.r.Header.Get("If-None-Match") == strconv.Quote(i.Digest) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	head.Set("Content-Type", i.MediaType)
	head.Set("Content-Length", strconv.Itoa(len(manifest)))
	if c.r.Method == http.MethodHead {
		return nil
	}
	if err := c.shelf.NotePull(c.r.Context(), i); err != nil {
		c.log.Warn("the time of a pull is not written down", "repository", c.repo.Name, "digest", i.Digest, "error", err)
	}
	_, _ = c.w.Write(manifest) // whoever asked is gone, or has it
	return nil
}

func (c *call) putManifest() error {
	digest, tag, err := c.reference()
	if err != nil {
		return err
	}
	content, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, registry.MaxManifest))
	if err != nil {
		return errcode.ErrorCodeManifestInvalid.WithMessage("the manifest did not arrive: " + err.Error())
	}
	i, _, err := c.shelf.Put(c.r.Context(), c.repo, shelf.Manifest{
		MediaType: c.r.Header.Get("Content-Type"), Content: content, Digest: digest, Tag: tag,
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/v2/"+c.repo.Name+"/manifests/"+i.Digest)
	c.w.Header().Set("Docker-Content-Digest", i.Digest)
	if i.Subject != "" {
		c.w.Header().Set("Oci-Subject", i.Subject)
	}
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// deleteManifest takes an image away by its digest, a tag by its name: as BatchDeleteImage does.
func (c *call) deleteManifest() error {
	digest, tag, err := c.reference()
	if err != nil {
		return err
	}
	for done := false; !done; {
		err := c.shelf.Store.Update(c.r.Context(), func(tx store.Tx) error {
			done = true
			i, err := tables.Find(tx, c.repo, digest, tag)
			if err != nil {
				return err
			}
			if tag != "" {
				if t, ok := tables.Tags.Get(tx, tables.ContentKey(c.home, c.repo.ID, tag)); ok {
					tables.Untag(tx, c.repo, t)
				}
				return nil
			}
			if tables.Parents(tx, i) > 0 {
				return errcode.ErrorCodeDenied.WithMessage("Requested image referenced by manifest list")
			}
			done = tables.DeleteImage(tx, i)
			return nil
		})
		if err != nil {
			return err
		}
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// most is how many names a page has at most.
const most = 1000

// page is the part of a sorted list that the query asks for; more says that something follows.
func (c *call) page(each func(last string, yield func(string) bool)) (names []string, more bool, err error) {
	n := most
	if s := c.r.URL.Query().Get("n"); s != "" {
		if n, err = strconv.Atoi(s); err != nil || n < 0 {
			return nil, false, errcode.ErrorCodePaginationNumberInvalid
		}
		n = min(n, most)
	}
	names = []string{}
	each(c.r.URL.Query().Get("last"), func(name string) bool {
		if more = len(names) == n; more {
			return false
		}
		names = append(names, name)
		return true
	})
	return names, more && n > 0, nil
}

// list answers a page of names, with a link to the next.
func (c *call) list(answer map[string]any, names []string, more bool) error {
	if more {
		q := url.Values{"last": {names[len(names)-1]}, "n": {strconv.Itoa(len(names))}}
		c.w.Header().Set("Link", "<"+c.r.URL.Path+"?"+q.Encode()+`>; rel="next"`)
	}
	c.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(c.w).Encode(answer)
}

func (c *call) tags() error {
	var names []string
	var more bool
	err := c.shelf.Store.View(c.r.Context(), store.Fresh, func(tx store.Tx) (err error) {
		names, more, err = c.page(func(last string, yield func(string) bool) {
			prefix, after := tables.Holds(c.home, c.repo.ID), ""
			if last != "" {
				after = prefix + last
			}
			for _, t := range tables.Tags.List(tx, prefix, after) {
				if !yield(t.Name) {
					return
				}
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.list(map[string]any{"name": c.repo.Name, "tags": names}, names, more)
}

func (c *call) catalog() error {
	var names []string
	var more bool
	err := c.shelf.Store.View(c.r.Context(), store.Fresh, func(tx store.Tx) (err error) {
		names, more, err = c.page(func(last string, yield func(string) bool) {
			for _, r := range tables.Repositories.List(tx, tables.At(c.home).Prefix(), after(c.home, last)) {
				if !yield(r.Name) {
					return
				}
			}
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.list(map[string]any{"repositories": names}, names, more)
}

func after(h registry.Home, last string) string {
	if !registry.ValidName(last) {
		return ""
	}
	return tables.RepositoryKey(h, last)
}
