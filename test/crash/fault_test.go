package crash

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// victim is a process of the installation.
type victim string

const (
	server     victim = "server"
	node       victim = "node"
	containerd victim = "containerd"
	hold       victim = "hold"
	envoy      victim = "envoy"
)

var everything = []victim{server, node, containerd, hold, envoy}

// faults are what may be killed at once. containerd, hold and Envoy come back by the node, the others are begun again.
var faults = [][]victim{
	{server}, {node}, {server, node}, {containerd}, {containerd, node}, {hold}, {hold, node}, everything,
	{containerd, server}, {hold, containerd}, {envoy}, {envoy, node},
	{}, // only a part of a task
}

// fault is what happens in a round. Its times are counted in operations of the load.
type fault struct {
	kill    []victim
	after   int           // operations before the kill
	delay   time.Duration // and a moment more, to land within one
	down    int           // operations tried before what was killed begins again
	reverse bool          // the node begins before the server
	again   bool          // killed a second time while it comes back
	part    part          // of one task or another, killed with them
	relapse time.Duration // when, after it began again
	rest    int           // operations after it is back
}

// draw chooses the fault of a round. Thirteen rounds in a row have every kind once.
func draw(seed uint64, round int) fault {
	deck := rounds.Source(seed, round/len(faults), 1).Perm(len(faults))
	r := rounds.Source(seed, round, 2)
	f := fault{
		kill: faults[deck[round%len(faults)]], after: rounds.Between(r, 4, 18), delay: rounds.Millis(r, 0, 250), down: rounds.Between(r, 2, 10),
		reverse: r.IntN(2) == 0, again: r.IntN(3) == 0, relapse: rounds.Millis(r, 0, 2500), rest: rounds.Between(r, 3, 8),
	}
	if f.part = parts[r.IntN(len(parts))]; f.part == nothing && len(f.kill) == 0 {
		f.part = runsc
	}
	return f
}

func (f fault) String() string {
	var names []string
	for _, v := range f.kill {
		names = append(names, string(v))
	}
	if f.part != nothing {
		names = append(names, "a task's "+string(f.part))
	}
	s := strings.Join(names, "+")
	if f.again {
		s += " twice"
	}
	return s
}

func (f fault) has(v victim) bool { return slices.Contains(f.kill, v) }

// killAll kills what the fault names, in an order of its own each time.
func (w *world) killAll(f fault, r *rand.Rand) {
	w.t.Helper()
	for _, i := range r.Perm(len(f.kill) + 1) {
		if i == len(f.kill) {
			w.killPart(f.part, r)
			continue
		}
		v := f.kill[i]
		var err error
		switch v {
		case server:
			w.Kill(installation.Server)
		case node:
			w.Kill(installation.Node)
		case containerd:
			err = w.KillContainerd()
		case hold:
			err = w.KillHold()
		case envoy:
			err = w.KillEnvoy()
		}
		if err != nil {
			w.t.Errorf("kill %s: %v", v, err)
		}
	}
}

// beginAll begins again what nobody else does.
func (w *world) beginAll(f fault, r *rand.Rand) {
	w.t.Helper()
	order := []victim{server, node}
	if f.reverse {
		slices.Reverse(order)
	}
	roles := map[victim]installation.Role{server: installation.Server, node: installation.Node}
	for _, v := range order {
		if f.has(v) {
			if err := w.Begin(roles[v], w.nodeSettings(r)); err != nil {
				w.t.Fatalf("begin %s: %v", v, err)
			}
		}
	}
}

// spared are those of the witnesses' addresses that answer while what was killed is down: what is behind a load balancer needs Envoy.
func (f fault) spared(w *world, addresses []string) []string {
	if w.balancing != nil && (f.has(envoy) || f.part == frontShim) {
		return addresses[:len(addresses)-1]
	}
	return addresses
}
