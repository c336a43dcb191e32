package control

import (
	"iter"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
)

// keeper is a table of what repositories hold, its type erased.
type keeper struct {
	keys    func(tx store.Tx, prefix string, most int) []string // of one repository
	holders func(tx store.Tx) iter.Seq[string]                  // tables.Holds of every repository in it
	remove  func(tx store.Tx, key string)
}

// keepers are all of them. Records of one key per repository have that key for their prefix, less the slash.
var keepers = []keeper{
	keep(tables.Tags, func(t *registry.Tag) (registry.Home, string) { return t.Home, t.Repository }),
	keep(tables.Images, func(i *registry.Image) (registry.Home, string) { return i.Home, i.Repository }),
	keep(tables.Layers, func(l *registry.Layer) (registry.Home, string) { return l.Home, l.Repository }),
	keep(tables.Uploads, func(u *registry.Upload) (registry.Home, string) { return u.Home, u.Repository }),
	keep(tables.Pulls, func(p *registry.Pull) (registry.Home, string) { return p.Home, p.Repository }),
	keep(tables.Contents, func(c *registry.Contents) (registry.Home, string) { return c.Home, c.Repository }),
	keep(tables.Expiries, func(e *registry.Expiry) (registry.Home, string) { return e.Home, e.Repository }),
	keep(tables.Previews, func(p *registry.Preview) (registry.Home, string) { return p.Home, p.Repository }),
}

func keep[T any](t *store.Table[T], of func(*T) (registry.Home, string)) keeper {
	return keeper{
		keys: func(tx store.Tx, prefix string, most int) (keys []string) {
			for key := range t.List(tx, prefix[:len(prefix)-1], "") { // ids have one length: none begins with another
				if len(keys) == most {
					break
				}
				keys = append(keys, key)
			}
			return keys
		},
		holders: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				last := ""
				for _, rec := range t.List(tx, "", "") {
					h, id := of(rec)
					if p := tables.Holds(h, id); p != last {
						if last = p; !yield(p) {
							return
						}
					}
				}
			}
		},
		remove: func(tx store.Tx, key string) { t.Delete(tx, key) },
	}
}
