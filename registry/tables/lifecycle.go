package tables

import (
	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/lifecycle"
	"github.com/berth-ecs/berth/store"
)

// Aged are the images of a repository as a lifecycle policy sees them.
func Aged(tx store.Tx, r *registry.Repository) []lifecycle.Image {
	var all []lifecycle.Image
	for key, i := range ImagesOf(tx, r, "") {
		l := lifecycle.Image{Digest: i.Digest, Tags: TagsOf(tx, i), PushedAt: i.PushedAt, Parents: Parents(tx, i)}
		if p, ok := Pulls.Peek(tx, key); ok {
			l.PulledAt = p.At
		}
		all = append(all, l)
	}
	return all
}
