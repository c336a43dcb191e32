package region

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// A node whose machine is away moves when there is room, after so long a time that a server that has just begun hears of every machine first.
func TestANodeWhoseMachineIsAwayMoves(t *testing.T) {
	bubbled(t, func(b *balanced) {
		b.host("1", "a")
		b.balance("lb", "a")
		b.pass(time.Second)
		was := b.is("lb", "active", "a n-1").Nodes[0]
		b.connect("1", false)
		b.pass(29 * time.Second)
		b.is("lb", "active", "a n-1")
		b.pass(time.Hour) // nowhere to go: it may serve on, whoever hears of it
		b.is("lb", "active_impaired", "a n-1")
		b.host("2", "a")
		b.pass(10 * time.Second)
		if now := b.is("lb", "active", "a n-2").Nodes[0]; now.Public != was.Public {
			t.Errorf("%v, then %v", was.Public, now.Public)
		}
		b.connect("1", true)
		b.connect("2", false)
		b.pass(20 * time.Second)
		b.stop()
		b.start() // another leader begins to count anew
		b.pass(29 * time.Second)
		b.is("lb", "active", "a n-2")
		b.pass(5 * time.Second)
		b.is("lb", "active", "a n-1")
	})
}

// After servers were gone for long, agents come back one after the other: nodes whose machines are among the last stay where they are, out of the names
// while others serve. Machines that do not come back are given up all the same.
func TestManyMachinesAreAway(t *testing.T) {
	bubbled(t, func(b *balanced) {
		all := []string{"1", "2", "3"}
		for _, id := range all {
			b.host(id, "a")
		}
		b.host("4", "b")
		b.connect("2", false)
		b.connect("3", false)
		b.balance("lb", "ab")
		b.pass(time.Second)
		b.is("lb", "active", "a n-1", "b n-4")
		for _, id := range append(all, "4") {
			b.connect(id, false)
		}
		b.pass(20 * time.Second)
		b.connect("4", true)
		b.connect("2", true)
		b.connect("3", true)
		b.pass(80 * time.Second)
		b.is("lb", "active_impaired", "a n-1 !", "b n-4")
		b.connect("1", true)
		b.pass(time.Second)
		b.is("lb", "active", "a n-1", "b n-4")
		b.connect("1", false)
		b.connect("2", false)
		b.pass(149 * time.Second)
		b.is("lb", "active_impaired", "a n-1 !", "b n-4")
		b.pass(10 * time.Second)
		b.is("lb", "active", "a n-3", "b n-4")
	})
}

// A machine that drains gets empty as soon as another serves in its place, and not before; a node with an address of its own stays.
func TestAMachineThatDrains(t *testing.T) {
	bubbled(t, func(b *balanced) {
		drain := func(id, status string) {
			b.update(func(tx store.Tx) {
				s, _ := tables.InstanceStates.Get(tx, tables.MemberKey(balancedHome, "c", id))
				next := *s
				next.Status = status
				tables.InstanceStates.Put(tx, &next)
			})
		}
		b.host("1", "a")
		b.balance("lb", "a")
		b.balance("own", "a", func(l *elb.LoadBalancer) {
			l.Scheme, l.Zones[0].Private = "internal", netip.MustParseAddr("172.31.0.77")
		})
		b.pass(time.Second)
		b.is("own", "active", "a n-1")
		drain("1", ecs.InstanceDraining)
		b.pass(time.Hour) // nowhere to go
		b.is("lb", "active", "a n-1")
		b.mute = true
		b.host("2", "a")
		b.pass(10 * time.Second)
		b.is("lb", "active", "a n-1", "a n-2 !")
		b.mute = false
		b.connect("2", false)
		b.connect("2", true)
		b.pass(time.Second)
		b.is("lb", "active", "a n-1 !", "a n-2")
		b.pass(time.Minute)
		b.is("lb", "active", "a n-2")
		b.is("own", "active", "a n-1")
	})
}
