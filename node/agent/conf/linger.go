package conf

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/nodeconf"
)

// A VPC that the node has no part in any more stays with the parts for a while, alone: its router, its edge and its sockets take longer to
// make than a task's container, and who stops a task often starts another. Nobody is in it, so nothing can be reached through it.
const (
	lingerFor  = 10 * time.Minute
	lingerMost = 8 // VPCs at once; the one that waits longest goes first
)

// linger is what the parts are told beside the configuration. It is this process's: the next one begins without.
type linger struct {
	named map[string]nodeconf.VPC // by the configuration
	held  map[string]heldVPC
}

type heldVPC struct {
	nodeconf.VPC
	until time.Time
}

func newLinger() linger {
	return linger{map[string]nodeconf.VPC{}, map[string]heldVPC{}}
}

// follow notes how the configuration changed and answers the change that the parts are told. Nothing of d is changed.
func (l *linger) follow(d nodeconf.Delta, now time.Time) nodeconf.Delta {
	if d.From == 0 {
		for id, v := range l.named {
			l.held[id] = heldVPC{v, now.Add(lingerFor)}
		}
		clear(l.named)
	}
	out := d
	out.Gone = nil
	for _, k := range d.Gone {
		v, named := l.named[k.ID]
		if k.Kind != "VPCs" || !named {
			out.Gone = append(out.Gone, k)
			continue
		}
		delete(l.named, k.ID)
		l.held[k.ID] = heldVPC{v, now.Add(lingerFor)}
	}
	for id, v := range d.Set.VPCs {
		l.named[id] = v
		delete(l.held, id)
	}
	over := l.over(now)
	if d.From == 0 {
		return l.whole(d)
	}
	out.Gone = append(out.Gone, over...)
	return out
}

// over takes out what has waited long enough, or is too many.
func (l *linger) over(now time.Time) (gone []nodeconf.Key) {
	ids := slices.SortedFunc(maps.Keys(l.held), func(a, b string) int {
		return cmp.Or(l.held[a].until.Compare(l.held[b].until), strings.Compare(a, b))
	})
	for i, id := range ids {
		if len(ids)-i > lingerMost || !now.Before(l.held[id].until) {
			delete(l.held, id)
			gone = append(gone, nodeconf.Key{Kind: "VPCs", ID: id})
		}
	}
	return gone
}

// whole adds what lingers to a whole configuration.
func (l *linger) whole(d nodeconf.Delta) nodeconf.Delta {
	if len(l.held) == 0 {
		return d
	}
	vpcs := maps.Clone(d.Set.VPCs)
	if vpcs == nil {
		vpcs = map[string]nodeconf.VPC{}
	}
	for id, v := range l.held {
		vpcs[id] = v.VPC
	}
	d.Set.VPCs = vpcs
	return d
}

// wait is until something of it is over; nil for never.
func (l *linger) wait(now time.Time) <-chan time.Time {
	var first time.Time
	for _, v := range l.held {
		if first.IsZero() || v.until.Before(first) {
			first = v.until
		}
	}
	if first.IsZero() {
		return nil
	}
	return time.After(first.Sub(now))
}
