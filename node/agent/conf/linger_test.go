package conf

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/nodeconf"
)

// world is a configuration, what a part was told of it, and when each VPC went.
type world struct {
	linger
	is   nodeconf.Config
	part nodeconf.Config
	went map[string]time.Time
	now  time.Time
}

// next is some configuration: VPCs of twelve, with an interface each or without.
func (w *world) next(t *rapid.T) *nodeconf.Config {
	c := &nodeconf.Config{Version: w.is.Version + 1}
	c.VPCs, c.Interfaces = map[string]nodeconf.VPC{}, map[string]nodeconf.Interface{}
	for i := range 12 {
		id := fmt.Sprintf("vpc-%d", i)
		switch rapid.IntRange(0, 3).Draw(t, id) {
		case 0:
			c.VPCs[id] = nodeconf.VPC{ID: id, Net: rapid.Uint32Range(1, 2).Draw(t, "net")}
		case 1:
			c.VPCs[id], c.Interfaces["eni-"+id] = nodeconf.VPC{ID: id}, nodeconf.Interface{VPC: id}
		}
	}
	return c
}

func (w *world) become(t *rapid.T, c *nodeconf.Config, whole bool) {
	d := nodeconf.Diff(&w.is, c)
	if whole {
		d = nodeconf.Delta{To: c.Version, Set: c.Resources}
	}
	before := c.Text()
	for id := range w.is.VPCs {
		if _, stays := c.VPCs[id]; !stays {
			w.went[id] = w.now
		}
	}
	for id := range c.VPCs {
		delete(w.went, id)
	}
	first := slices.SortedFunc(maps.Keys(w.went), func(a, b string) int { return cmp.Or(w.went[a].Compare(w.went[b]), cmp.Compare(a, b)) })
	for _, id := range first[:max(0, len(first)-lingerMost)] {
		delete(w.went, id)
	}
	w.is = *c
	if err := w.part.Apply(w.follow(d, w.now)); err != nil {
		t.Fatal(err)
	}
	if c.Text() != before {
		t.Fatal("it changed what it was given")
	}
}

// wanted are the VPCs that are to be there: those of the configuration, and those that went lately.
func (w *world) wanted() []string {
	out := slices.Collect(maps.Keys(w.is.VPCs))
	for id, at := range w.went {
		if w.now.Sub(at) < lingerFor {
			out = append(out, id)
		}
	}
	return slices.Sorted(slices.Values(out))
}

// Whatever comes, in changes or as a whole, parts have the configuration and beside it no more than a few VPCs that went a short while ago, and
// those without anything in them.
func TestWhatLingers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{linger: newLinger(), went: map[string]time.Time{}, now: time.Unix(1e9, 0)}
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(1, int(lingerFor)).Draw(t, "later")))
			w.become(t, w.next(t), rapid.Bool().Draw(t, "whole"))
			got := slices.Sorted(maps.Keys(w.part.VPCs))
			if len(got)-len(w.is.VPCs) > lingerMost {
				t.Fatalf("%d VPCs linger", len(got)-len(w.is.VPCs))
			}
			if want := w.wanted(); !slices.Equal(got, want) {
				t.Fatalf("told %v, want %v", got, want)
			}
			for id, v := range w.is.VPCs {
				if w.part.VPCs[id].Net != v.Net {
					t.Fatalf("%s is told as it was", id)
				}
			}
			if !maps.EqualFunc(w.part.Interfaces, w.is.Interfaces, func(a, b nodeconf.Interface) bool { return a.VPC == b.VPC }) {
				t.Fatalf("interfaces %v, want %v", w.part.Interfaces, w.is.Interfaces)
			}
		}
		w.now = w.now.Add(lingerFor)
		w.become(t, &w.is, false)
		if w.part.Text() != w.is.Text() {
			t.Fatalf("in the end\n%swant\n%s", w.part.Text(), w.is.Text())
		}
	})
}

func vpcChange(from, to int64, vpc string) nodeconf.Delta {
	return nodeconf.Delta{From: from, To: to, Set: nodeconf.Resources{VPCs: map[string]nodeconf.VPC{vpc: {ID: vpc}}}}
}

func vpcGone(from, to int64, vpc string) nodeconf.Delta {
	return nodeconf.Delta{From: from, To: to, Gone: []nodeconf.Key{{Kind: "VPCs", ID: vpc}}}
}

// latest is the connection that the node has now: it leaves those that are silent.
func latest(n *node) (c *conn) {
	for {
		synctest.Wait()
		select {
		case c = <-n.server.conns:
		case <-n.server.urls:
		default:
			return c
		}
	}
}

// A part keeps a VPC that went, and loses it later without a word of the servers; the next process has only what it is told.
func TestAVPCLingers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	synctest.Test(t, func(t *testing.T) {
		n := start(t, path)
		c := latest(n)
		later := func(d time.Duration, want bool) {
			t.Helper()
			synctest.Wait()
			for ; d > 0; d -= min(d, time.Minute) {
				time.Sleep(min(d, time.Minute))
				if now := latest(n); now != nil {
					c = now
				}
			}
			if _, is := n.is.VPCs["v"]; is != want {
				t.Errorf("the part has the VPC: %v, want %v", is, want)
			}
		}
		c.push(t, false, vpcChange(0, 1, "v"))
		later(0, true)
		c.push(t, false, vpcGone(1, 2, "v"))
		later(lingerFor-time.Second, true)
		c.push(t, false, vpcChange(2, 3, "v")) // it is wanted again: no time runs
		later(lingerFor, true)
		c.push(t, false, vpcGone(3, 4, "v"))
		later(lingerFor-time.Second, true)
		later(time.Second, false)
		c.push(t, false, vpcChange(4, 5, "v"))
		later(0, true)
		c.push(t, false, vpcGone(5, 6, "v"))
		later(time.Second, true)
		n.stop()

		n = start(t, path)
		later(time.Second, false)
		n.stop()
	})
}
