package tables

import (
	"time"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/store"
)

// Push is an image that a client pushes.
type Push struct {
	registry.Manifest
	Digest string
	Tag    string // optional
}

// PutImage gives a repository an image, or an image of it a tag. All that the image needs must be there. It says whether
// anything changed: pushing again what is there does not. Writes 3 keys.
func PutImage(tx store.Tx, r *registry.Repository, p Push) (image *registry.Image, fresh bool, err error) {
	changed(tx, r.Home, r.ID)
	image, known := Images.Get(tx, ContentKey(r.Home, r.ID, p.Digest))
	if !known {
		if err := complete(tx, r, p.Manifest); err != nil {
			return nil, false, err
		}
		image = &registry.Image{
			Home: r.Home, Repository: r.ID, Digest: p.Digest, MediaType: p.MediaType, ArtifactType: p.ArtifactType, Subject: p.Subject,
			PushedAt: tx.Now(), Size: max(p.Size, largest(tx, r, p.Children)), Layers: p.Layers, Children: p.Children,
		}
		Images.Put(tx, image)
	}
	moved, err := tag(tx, r, p)
	return image, !known || moved, err
}

// tag moves the tag of a push. Pushing an image again under an immutable tag is no move.
func tag(tx store.Tx, r *registry.Repository, p Push) (moved bool, err error) {
	if p.Tag == "" {
		return false, nil
	}
	t, ok := Tags.Get(tx, ContentKey(r.Home, r.ID, p.Tag))
	switch {
	case ok && t.Digest == p.Digest:
		return false, nil
	case ok && r.Immutable(p.Tag):
		return false, r.TagExists(p.Tag)
	}
	Tags.Put(tx, &registry.Tag{Home: r.Home, Repository: r.ID, Name: p.Tag, Digest: p.Digest, At: tx.Now()})
	return true, nil
}

// complete refuses an image of which something was not pushed. The lists are read without guards: whoever takes a layer
// or an image away writes the repository's Contents, which the caller did too.
func complete(tx store.Tx, r *registry.Repository, m registry.Manifest) error {
	var missing []string
	for _, d := range m.Layers {
		if _, ok := Layers.Peek(tx, ContentKey(r.Home, r.ID, d)); !ok {
			missing = append(missing, d)
		}
	}
	if missing != nil {
		return r.NoLayers(missing)
	}
	for _, d := range m.Children {
		if _, ok := Images.Peek(tx, ContentKey(r.Home, r.ID, d)); !ok {
			missing = append(missing, d)
		}
	}
	if missing != nil {
		return r.NoChildren(missing)
	}
	return nil
}

func largest(tx store.Tx, r *registry.Repository, children []string) (size int64) {
	for _, d := range children {
		if i, ok := Images.Peek(tx, ContentKey(r.Home, r.ID, d)); ok {
			size = max(size, i.Size)
		}
	}
	return size
}

// Parents is how many lists of the repository need an image.
func Parents(tx store.Tx, i *registry.Image) int {
	return ImagesByPart.Count(tx, ContentKey(i.Home, i.Repository, i.Digest))
}

// maxTagsGone is how many tags go with an image in one transaction.
const maxTagsGone = 90

// DeleteImage takes an image and its tags from a repository. It says whether that is done: an image of very many tags
// loses them first. Writes up to 93 keys.
func DeleteImage(tx store.Tx, i *registry.Image) (done bool) {
	changed(tx, i.Home, i.Repository)
	key := ContentKey(i.Home, i.Repository, i.Digest)
	n := 0
	for k := range TagsByImage.List(tx, key, "") {
		if n++; n > maxTagsGone {
			return false
		}
		Tags.Delete(tx, k)
	}
	Images.Delete(tx, key)
	Pulls.Delete(tx, key)
	return true
}

// Untag takes a tag from its image, and the image too when it was the last and no list needs it. Writes up to 4 keys.
func Untag(tx store.Tx, r *registry.Repository, t *registry.Tag) {
	changed(tx, r.Home, r.ID)
	Tags.Delete(tx, ContentKey(r.Home, r.ID, t.Name))
	key := ContentKey(r.Home, r.ID, t.Digest)
	i, ok := Images.Get(tx, key)
	if !ok || TagsByImage.Count(tx, key) > 0 || Parents(tx, i) > 0 {
		return
	}
	Images.Delete(tx, key)
	Pulls.Delete(tx, key)
}

// AddLayer gives a repository a layer, or makes it young again. Writes 1 key.
func AddLayer(tx store.Tx, r *registry.Repository, digest string, size int64) {
	Layers.Put(tx, &registry.Layer{Home: r.Home, Repository: r.ID, Digest: digest, Size: size, At: tx.Now()})
}

// DropLayer takes a layer that no image has from its repository, unless it came at or after since. Writes up to 2 keys.
func DropLayer(tx store.Tx, key string, since time.Time) bool {
	l, ok := Layers.Get(tx, key)
	if !ok || !l.At.Before(since) {
		return false
	}
	changed(tx, l.Home, l.Repository)
	if ImagesByPart.Count(tx, key) > 0 {
		return false
	}
	Layers.Delete(tx, key)
	return true
}
