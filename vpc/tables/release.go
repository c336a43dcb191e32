package tables

import (
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Release deletes an interface: its addresses rest, a public one that was assigned with it goes back to the pool, an Elastic one is associated
// with nothing, its tags are gone. An id that is not known is nothing to release. 3 keys (2 written), and 3 for each private address at most.
func Release(tx store.Tx, h vpc.Home, id string) {
	i, ok := Interfaces.Get(tx, Key(h, id))
	if !ok {
		return
	}
	for _, p := range i.Private {
		unpublish(tx, i, p)
		free(tx, i, p.Addr)
	}
	for _, a := range i.IPv6 {
		free(tx, i, a)
	}
	Interfaces.Delete(tx, Key(h, id))
	Tags.Delete(tx, Key(h, id))
}

// unpublish ends what a private address of an interface has of a public one. 1 key.
func unpublish(tx store.Tx, i *vpc.Interface, p vpc.Private) {
	switch {
	case p.Elastic != "":
		if e, ok := Elastics.Get(tx, Key(i.Home, p.Elastic)); ok && e.Interface == i.ID {
			left := *e
			left.Interface, left.Private, left.Association = "", netip.Addr{}, ""
			Elastics.Put(tx, &left)
		}
	case p.Public.IsValid():
		FreePublic(tx, p.Public, i.ID)
	}
}

// Shrink takes addresses, not the primary one, from an interface that the caller writes. 2 keys an address.
func Shrink(tx store.Tx, i *vpc.Interface, gone []netip.Addr) {
	var keep []vpc.Private
	for _, p := range i.Private {
		if !slices.Contains(gone, p.Addr) {
			keep = append(keep, p)
			continue
		}
		unpublish(tx, i, p)
		free(tx, i, p.Addr)
	}
	var keep6 []netip.Addr
	for _, a := range i.IPv6 {
		if !slices.Contains(gone, a) {
			keep6 = append(keep6, a)
			continue
		}
		free(tx, i, a)
	}
	i.Private, i.IPv6 = keep, keep6
}
