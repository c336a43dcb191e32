// Package tables is where the records of the registry wing live in the store: their typed tables, their indexes, and what
// the APIs and the loops share inside a transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it touches only this wing's tables; it reads time and
// identifiers from the Tx. Functions that write state the number of keys they touch.
package tables

import (
	"strings"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/store"
)

// At is the scope of a home's records.
func At(h registry.Home) store.Scope { return store.Regional(h.Account, h.Region) }

// RepositoryKey is the key of a repository. The slashes of its name become colons, which no name has.
func RepositoryKey(h registry.Home, name string) string {
	return At(h).Key(strings.ReplaceAll(name, "/", ":"))
}

// ContentKey is the key of what a repository (by its id) holds: an image or a layer by digest, a tag by name, an upload
// by its id.
func ContentKey(h registry.Home, repository, name string) string { return At(h).Key(repository, name) }

// Holds begins the keys of everything of a kind that a repository holds.
func Holds(h registry.Home, repository string) string { return At(h).Prefix(repository) }

// The tables.
var (
	Repositories = store.Define(store.Def[registry.Repository]{Name: "registry.repository", Version: 1,
		Key: func(r *registry.Repository) string { return RepositoryKey(r.Home, r.Name) }})
	Contents = store.Define(store.Def[registry.Contents]{Name: "registry.contents", Version: 1,
		Key: func(c *registry.Contents) string { return At(c.Home).Key(c.Repository) }})
	Images = store.Define(store.Def[registry.Image]{Name: "registry.image", Version: 1,
		Key: func(i *registry.Image) string { return ContentKey(i.Home, i.Repository, i.Digest) }})
	Tags = store.Define(store.Def[registry.Tag]{Name: "registry.tag", Version: 1,
		Key: func(t *registry.Tag) string { return ContentKey(t.Home, t.Repository, t.Name) }})
	Layers = store.Define(store.Def[registry.Layer]{Name: "registry.layer", Version: 1,
		Key: func(l *registry.Layer) string { return ContentKey(l.Home, l.Repository, l.Digest) }})
	Uploads = store.Define(store.Def[registry.Upload]{Name: "registry.upload", Version: 1,
		Key: func(u *registry.Upload) string { return ContentKey(u.Home, u.Repository, u.ID) }})
	Pulls = store.Define(store.Def[registry.Pull]{Name: "registry.pull", Version: 1,
		Key: func(p *registry.Pull) string { return ContentKey(p.Home, p.Repository, p.Digest) }})
	Expiries = store.Define(store.Def[registry.Expiry]{Name: "registry.expiry", Version: 1,
		Key: func(e *registry.Expiry) string { return At(e.Home).Key(e.Repository) }})
	Previews = store.Define(store.Def[registry.Preview]{Name: "registry.preview", Version: 1,
		Key: func(p *registry.Preview) string { return At(p.Home).Key(p.Repository) }})
	Secrets = store.Define(store.Def[registry.Secret]{Name: "registry.secret", Version: 1,
		Key: func(s *registry.Secret) string { return store.Installation().Key(s.Name) }})
)

// The indexes.
var (
	// RepositoriesByID: Holds.
	RepositoriesByID = store.NewIndex(Repositories, "id", func(r *registry.Repository) []string {
		return []string{Holds(r.Home, r.ID)}
	})
	// ImagesByDigest: the digest, over all repositories: who needs the manifest.
	ImagesByDigest = store.NewIndex(Images, "digest", func(i *registry.Image) []string { return []string{i.Digest} })
	// ImagesByPart: ContentKey of a layer or of a child: which images of the repository need it.
	ImagesByPart = store.NewIndex(Images, "part", func(i *registry.Image) []string {
		var keys []string
		for _, d := range i.Layers {
			keys = append(keys, ContentKey(i.Home, i.Repository, d))
		}
		for _, d := range i.Children {
			keys = append(keys, ContentKey(i.Home, i.Repository, d))
		}
		return keys
	})
	// TagsByImage: ContentKey of the image.
	TagsByImage = store.NewIndex(Tags, "image", func(t *registry.Tag) []string {
		return []string{ContentKey(t.Home, t.Repository, t.Digest)}
	})
	// LayersByDigest: the digest, over all repositories: who needs the content.
	LayersByDigest = store.NewIndex(Layers, "digest", func(l *registry.Layer) []string { return []string{l.Digest} })
	// UploadsByID: the id, over all repositories.
	UploadsByID = store.NewIndex(Uploads, "id", func(u *registry.Upload) []string { return []string{u.ID} })
)

// Schema is every table of the wing.
func Schema() store.Schema {
	return store.Schema{Repositories, Contents, Images, Tags, Layers, Uploads, Pulls, Expiries, Previews, Secrets}
}

// Referenced says whether anything refers to the content of a digest.
func Referenced(tx store.Tx, digest string) bool {
	return LayersByDigest.Count(tx, digest)+ImagesByDigest.Count(tx, digest) > 0
}
