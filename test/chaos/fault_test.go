package chaos

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/rounds"
)

// kind is what happens to a machine.
type kind string

const (
	killServer kind = "kill the server of"
	killLeader kind = "kill the leading server"
	killNode   kind = "kill the node of"
	killPart   kind = "kill a part of"
	cutServer  kind = "cut off the server"
	cutLeader  kind = "cut off the leading server"
	cutNode    kind = "cut off the node"
	loseServer kind = "lose packets of the server"
	loseNode   kind = "lose packets of the node"
	slowServer kind = "slow the link of the server"
	slowNode   kind = "slow the link of the node"
	fillDisk   kind = "fill the disk of a server"
	partNode   kind = "part the servers and the node"
)

var kinds = []kind{killServer, killLeader, killNode, killPart, cutServer, cutLeader, cutNode, loseServer, loseNode, slowServer, slowNode, fillDisk, partNode}

// parts are drawn from; what ends a task is rarer.
var parts = []hosts.Part{hosts.Hold, hosts.Containerd, hosts.Runc, hosts.Enter, hosts.Shim}

// blow is one thing that happens to one machine.
type blow struct {
	kind    kind
	machine int // of its sort
	part    hosts.Part
	percent int           // of packets
	delay   time.Duration // of each packet, and as much again for some
	later   time.Duration // after the one before it
}

func (b blow) String() string {
	switch b.kind {
	case killServer, killNode, cutServer, cutNode, partNode:
	case killLeader, cutLeader, fillDisk:
		return string(b.kind)
	case killPart:
		return fmt.Sprintf("kill %s of node %d", b.part, b.machine)
	case loseServer, loseNode:
		return fmt.Sprintf("%s %d, %d %%", b.kind, b.machine, b.percent)
	case slowServer, slowNode:
		return fmt.Sprintf("%s %d, %v", b.kind, b.machine, b.delay)
	}
	return fmt.Sprintf("%s %d", b.kind, b.machine)
}

// fault is what happens in a round.
type fault struct {
	blows []blow
	after int           // operations of the load before it
	long  time.Duration // until what was killed begins again and links are mended
	rest  int           // operations after that
}

func (f fault) String() string {
	var out []string
	for _, b := range f.blows {
		out = append(out, b.String())
	}
	return strings.Join(out, ", ")
}

// draw chooses the fault of a round. As many rounds in a row as there are kinds have each of them first once; half of the rounds have a second blow, some a third.
func draw(seed uint64, round int) fault {
	deck := rounds.Source(seed, round/len(kinds), 1).Perm(len(kinds))
	r := rounds.Source(seed, round, 2)
	f := fault{after: rounds.Between(r, 2, 8), long: rounds.Millis(r, 100, 2600), rest: rounds.Between(r, 2, 5)}
	f.blows = append(f.blows, strike(r, kinds[deck[round%len(kinds)]]))
	for r.IntN(2) == 0 && len(f.blows) < 3 {
		f.blows = append(f.blows, strike(r, kinds[r.IntN(len(kinds))]))
	}
	return f
}

func strike(r *rand.Rand, k kind) blow {
	return blow{kind: k, machine: r.IntN(machines), part: parts[r.IntN(len(parts))], percent: rounds.Between(r, 5, 40), delay: rounds.Millis(r, 2, 150), later: rounds.Millis(r, 0, 400)}
}

// touches says whether something is done to the link of a node's machine.
func (f fault) touches(w *world, h *hosts.Host) bool {
	for _, b := range f.blows {
		if (b.kind == cutNode || b.kind == loseNode || b.kind == slowNode) && w.nodes[b.machine] == h {
			return true
		}
	}
	return false
}

// hurt is what must be made good.
type hurt struct {
	down map[*hosts.Host]hosts.Role // which process of a machine is to begin again
	link map[*hosts.Host]bool
	room func() // nil: no disk is full
}

// strikeAll does what the fault says.
func (w *world) strikeAll(f fault, d *diary, r *rand.Rand) hurt {
	w.t.Helper()
	h := hurt{down: map[*hosts.Host]hosts.Role{}, link: map[*hosts.Host]bool{}}
	for i, b := range f.blows {
		if i > 0 {
			rounds.Wait(w.t.Context(), b.later)
		}
		leads := w.servers[b.machine]
		if b.kind == killLeader || b.kind == cutLeader {
			leads = w.leader(leads)
		}
		switch b.kind {
		case killServer, killLeader:
			leads.Kill(hosts.Server)
			h.down[leads] = hosts.Server
		case killNode:
			w.nodes[b.machine].Kill(hosts.Node)
			h.down[w.nodes[b.machine]] = hosts.Node
		case killPart:
			w.endPart(w.nodes[b.machine], b.part, d, r)
		case cutServer, cutLeader, loseServer, slowServer:
			b.bend(leads)
			h.link[leads] = true
		case cutNode, loseNode, slowNode:
			b.bend(w.nodes[b.machine])
			h.link[w.nodes[b.machine]] = true
		case partNode: // its tasks and those of other nodes are to go on
			if m := w.nodes[b.machine]; !h.link[m] {
				m.Part(w.servers...)
				h.link[m] = true
			}
		case fillDisk:
			if h.room == nil {
				h.room = w.servers[small].Fill(0)
			}
		}
		d.note("%s", b)
	}
	return h
}

// bend does what a blow does to a link.
func (b blow) bend(m *hosts.Host) {
	switch b.kind {
	case cutServer, cutLeader, cutNode:
		m.Cut()
	case loseServer, loseNode:
		m.Lose(float64(b.percent))
	case slowServer, slowNode:
		m.Slow(b.delay, b.delay)
	case killServer, killLeader, killNode, killPart, fillDisk, partNode: // nothing of a link alone
	}
}

// makeGood mends links and begins again what was killed.
func (w *world) makeGood(h hurt) {
	w.t.Helper()
	for m := range h.link {
		m.Mend()
	}
	if h.room != nil {
		h.room()
		if m := w.servers[small]; !m.Running(hosts.Server) {
			h.down[m] = hosts.Server
		}
	}
	for m, role := range h.down {
		m.Again(role)
	}
}

// leader is the machine whose server leads, as far as is known; another if nobody says.
func (w *world) leader(unless *hosts.Host) *hosts.Host {
	for _, h := range w.servers {
		if found := h.Leads(w.t.Context()); found != nil {
			return found
		}
	}
	return unless
}

// taskID is how ECS writes one.
var taskID = regexp.MustCompile(`[0-9a-f]{32}`)

// endPart kills a process of a part. What is of a task alone ends it: not of a witness.
func (w *world) endPart(h *hosts.Host, p hosts.Part, d *diary, r *rand.Rand) {
	w.t.Helper()
	found := h.Processes(p)
	if p == hosts.Shim {
		found = w.spare(h, found)
	}
	if len(found) == 0 {
		d.note("there is no %s on %s", p, h.Name)
		return
	}
	pid := found[r.IntN(len(found))]
	switch p {
	case hosts.Shim:
		if id := w.taskOf(h, pid); id != "" {
			w.book.harm(id)
		}
	case hosts.Runc: // what it was to start does not
		for _, id := range taskID.FindAllString(rounds.Read(pid, "cmdline"), -1) {
			w.book.harm(id)
		}
	case hosts.Hold, hosts.Containerd, hosts.Enter, hosts.Envoy: // no task may notice
	}
	if err := hosts.End(w.t.Context(), pid); err != nil {
		w.t.Error(err)
	}
}
