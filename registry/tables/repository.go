package tables

import (
	"iter"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/store"
)

// Repository answers a repository, guarded, or AWS's error.
func Repository(tx store.Tx, h registry.Home, name string) (*registry.Repository, error) {
	if r, ok := Repositories.Get(tx, RepositoryKey(h, name)); ok {
		return r, nil
	}
	return nil, h.NoRepository(name)
}

// Exists says whether there is a repository of the id.
func Exists(tx store.Tx, h registry.Home, id string) bool {
	return RepositoriesByID.Count(tx, Holds(h, id)) > 0
}

// changed makes every other transaction that changed the repository's contents at once run again. Writes 1 key.
func changed(tx store.Tx, h registry.Home, repository string) {
	c, ok := Contents.Get(tx, At(h).Key(repository))
	if !ok {
		c = &registry.Contents{Home: h, Repository: repository}
	}
	next := *c
	next.Changes++
	Contents.Put(tx, &next)
}

// DeleteRepository deletes a repository; what it held is nobody's then, and swept. Without force it must have no images.
// Writes 2 keys.
func DeleteRepository(tx store.Tx, h registry.Home, name string, force bool) (*registry.Repository, error) {
	r, err := Repository(tx, h, name)
	if err != nil {
		return nil, err
	}
	changed(tx, h, r.ID)
	if !force {
		for range Images.List(tx, Holds(h, r.ID), "") {
			return nil, r.NotEmpty()
		}
	}
	Repositories.Delete(tx, RepositoryKey(h, name))
	return r, nil
}

// ImagesOf yields the images of a repository in the order of their digests, behind a key: "" for all.
func ImagesOf(tx store.Tx, r *registry.Repository, after string) iter.Seq2[string, *registry.Image] {
	return Images.List(tx, Holds(r.Home, r.ID), after)
}

// TagsOf are the tags of an image in their order.
func TagsOf(tx store.Tx, i *registry.Image) []string {
	var tags []string
	for _, t := range TagsByImage.List(tx, ContentKey(i.Home, i.Repository, i.Digest), "") {
		tags = append(tags, t.Name)
	}
	return tags
}

// Find answers an image by its digest, its tag, or both.
func Find(tx store.Tx, r *registry.Repository, digest, tag string) (*registry.Image, error) {
	want := digest
	if tag != "" {
		t, ok := Tags.Peek(tx, ContentKey(r.Home, r.ID, tag))
		if !ok || digest != "" && t.Digest != digest {
			return nil, r.NoImage(digest, tag)
		}
		want = t.Digest
	}
	i, ok := Images.Peek(tx, ContentKey(r.Home, r.ID, want))
	if !ok {
		return nil, r.NoImage(digest, tag)
	}
	return i, nil
}
