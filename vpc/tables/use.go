package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Deletions are the attempts to delete what must be unused.
//
// Nothing guards a list of users, so "delete if unused" is two transactions: Doubt, then a look at the users and the deletion, if Undisputed.
// A use that came before the first is seen by the second; one that comes after it takes the mark away.
var Deletions = store.Define(store.Def[vpc.Deletion]{Name: "vpc.deletion", Version: 1,
	Key: func(r *vpc.Deletion) string { return Key(r.Home, r.Resource) }})

// Use is for whoever writes a record that refers to a resource (a subnet, a security group, a VPC, a gateway): together with a guarded Get of
// the resource itself it makes sure that the resource stays. 1 key, read, and seldom written.
func Use(tx store.Tx, h vpc.Home, id string) {
	if _, ok := Deletions.Get(tx, Key(h, id)); ok {
		Deletions.Delete(tx, Key(h, id))
	}
}

// Doubt begins a deletion: it answers the mark for Undisputed. 1 key.
func Doubt(tx store.Tx, h vpc.Home, id string) (mark string) {
	mark = tx.NewID()
	Deletions.Put(tx, &vpc.Deletion{Home: h, Resource: id, By: mark})
	return mark
}

// Undisputed says whether nobody began to use the resource since Doubt, and takes the mark away. 1 key.
func Undisputed(tx store.Tx, h vpc.Home, id, mark string) bool {
	d, ok := Deletions.Get(tx, Key(h, id))
	if !ok || d.By != mark {
		return false
	}
	Deletions.Delete(tx, Key(h, id))
	return true
}
