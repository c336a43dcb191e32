package feed_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/feed"
	"github.com/berth-ecs/berth/vpc/tables"
)

// nodeDouble follows one feed at a time, as a node does: what does not follow what it has it refuses, and then asks for the whole.
type nodeDouble struct {
	name string
	have nodeconf.Config
	sub  *feed.Subscription
}

func (n *nodeDouble) follow(f *feed.Feed) {
	if n.sub != nil {
		n.sub.Close()
	}
	n.sub = f.Subscribe(compile.NodeKey(home, n.name), n.have.Version)
}

// hear takes what is there; at most a number of changes.
func (n *nodeDouble) hear(t *testing.T, most int) {
	t.Helper()
	for range most {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		d, err := n.sub.Next(ctx)
		cancel()
		if err != nil {
			return
		}
		if d.To < n.have.Version || d.To == n.have.Version && d.From != 0 {
			t.Fatalf("%d to %d after %d", d.From, d.To, n.have.Version)
		}
		if err := n.have.Apply(d); err != nil {
			t.Fatal(err)
		}
	}
}

// Nodes that follow two servers in turn, whose watches are lost now and then, whose feeds keep little and are read irregularly, end with what
// the records say.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { randomHistory(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func randomHistory(t *testing.T, r *rand.Rand) {
	t.Helper()
	lose := mem.Options{Faults: mem.Faults{LoseWatch: func(int64) bool { return r.IntN(12) == 0 }}}
	a := mem.Open(schema(), lose)
	b := a.Join(schema(), lose)
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	network(t, a)
	c := feed.Config{Nodes: machinery{}, Names: naming{}, Past: 20 + r.IntN(40), Pending: 4 + r.IntN(20)}
	feeds := []*feed.Feed{start(t, a, c), start(t, b, c)}
	var nodes []*nodeDouble
	for i := range 3 {
		n := &nodeDouble{name: fmt.Sprintf("n%d", i)}
		n.follow(feeds[i%2])
		nodes = append(nodes, n)
	}
	paused := false
	for range 120 {
		n := nodes[r.IntN(len(nodes))]
		switch r.IntN(13) {
		case 0:
			n.follow(feeds[r.IntN(2)])
		case 1, 2:
			synctest.Wait()
			n.hear(t, 1+r.IntN(3))
		case 3:
			if paused = !paused; paused {
				b.Pause()
			} else {
				b.Resume()
			}
		case 4:
			update(t, a, func(tx store.Tx) { tables.Interfaces.Delete(tx, tables.Key(home, fmt.Sprintf("eni-%d", r.IntN(6)))) })
		case 5:
			update(t, a, func(tx store.Tx) {
				tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: "sgr-2", Group: "sg-1", Match: vpc.Match{Protocol: 6, From: int32(r.IntN(3)), To: 9}, Peer: vpc.Peer{Group: "sg-2"}})
			})
		case 6:
			update(t, a, reachedAt(n.name, fmt.Sprintf("192.0.2.%d", r.IntN(4))))
		case 7:
			update(t, a, leaves(n.name))
		case 8:
			update(t, a, call(fmt.Sprint("n", r.IntN(3)), fmt.Sprint("vpc-", 1+r.IntN(2)), fmt.Sprint("10.0.0.", r.IntN(3))))
		case 9:
			update(t, a, func(tx store.Tx) { named.Delete(tx, fmt.Sprint("n", r.IntN(3))) })
		case 10:
			update(t, a, func(tx store.Tx) {
				tables.VPCs.Put(tx, &vpc.VPC{Home: home, ID: "vpc-2", Net: 2, Default: r.IntN(2) == 0})
			})
		default:
			update(t, a, place(r.IntN(6), nodes[r.IntN(len(nodes))].name))
		}
	}
	b.Resume()
	for _, n := range nodes {
		synctest.Wait()
		n.hear(t, 1000)
		n.sub.Close()
		keep(t, a, &n.have, n.name)
	}
}
