package tables

import (
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// Touch is for whoever adds something to a load balancer, listener or target group of an id, or begins to use it: it never happens beside another
// one, nor beside a deletion that asked Still. 1 key, guarded.
func Touch(tx store.Tx, h elb.Home, id string) {
	Changes.Get(tx, Key(h, id))
	Changes.Put(tx, &elb.Changes{Home: h, Of: id, By: tx.NewID()})
}

// Still is for whoever deletes what must be empty or unused: nothing is added to it until this commits. 1 key, guarded and deleted.
func Still(tx store.Tx, h elb.Home, id string) {
	Changes.Get(tx, Key(h, id))
	Changes.Delete(tx, Key(h, id))
}

// TakeName makes a name somebody's, or says whose it is. 1 key, guarded.
func TakeName(tx store.Tx, n *elb.Name) (has string, taken bool) {
	if was, ok := Names.Get(tx, NameKey(n.Home, n.Of, n.Name)); ok && was.ID != n.ID {
		return was.ID, true
	}
	Names.Put(tx, n)
	return n.ID, false
}

// PutTags writes the tags of a resource. 1 key.
func PutTags(tx store.Tx, t *elb.Tags) {
	if len(t.Pairs) == 0 {
		Tags.Delete(tx, OfKey(t.Home, t.Of))
		return
	}
	Tags.Put(tx, t)
}

// PutAttributes writes what somebody set of a resource. 1 key.
func PutAttributes(tx store.Tx, a *elb.Attributes) {
	if len(a.Values) == 0 {
		Attributes.Delete(tx, OfKey(a.Home, a.Of))
		return
	}
	Attributes.Put(tx, a)
}

// Forget deletes the attributes and tags of a resource that goes. 2 keys.
func Forget(tx store.Tx, h elb.Home, arn string) {
	Attributes.Delete(tx, OfKey(h, arn))
	Tags.Delete(tx, OfKey(h, arn))
}
