package feed_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
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

var home = vpc.Home{Account: "000000000000", Region: "us-east-1"}

// network writes a VPC with a subnet and a group of whose members it has rules.
func network(t *testing.T, s store.Store) {
	t.Helper()
	update(t, s, func(tx store.Tx) {
		tables.VPCs.Put(tx, &vpc.VPC{Home: home, ID: "vpc-1", Net: 1, Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}})
		tables.Subnets.Put(tx, &vpc.Subnet{Home: home, ID: "subnet-1", VPC: "vpc-1", CIDR: netip.MustParsePrefix("10.0.0.0/24")})
		tables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: home, ID: "sg-1", VPC: "vpc-1"})
		tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: "sgr-1", Group: "sg-1", Match: vpc.Match{Protocol: -1, From: -1, To: -1}, Peer: vpc.Peer{Group: "sg-1"}})
	})
}

func update(t *testing.T, s store.Store, fn func(store.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// place puts the interface n on a node.
func place(n int, node string) func(store.Tx) {
	return func(tx store.Tx) {
		tables.Interfaces.Put(tx, &vpc.Interface{Home: home, ID: fmt.Sprintf("eni-%d", n), VPC: "vpc-1", Subnet: "subnet-1", Node: node, Groups: []string{"sg-1"},
			Private: []vpc.Private{{Addr: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)})}}})
	}
}

func start(t *testing.T, s store.Store, c feed.Config) *feed.Feed {
	t.Helper()
	c.Store, c.Log = s, slog.New(slog.DiscardHandler)
	f := feed.New(c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f
}

// next is the next change of a subscription, which must be there as soon as nothing more happens.
func next(t *testing.T, s *feed.Subscription) nodeconf.Delta {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	synctest.Wait()
	d, err := s.Next(ctx)
	if err != nil {
		t.Fatalf("nothing is told: %v", err)
	}
	return d
}

func silent(t *testing.T, s *feed.Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	synctest.Wait()
	if d, err := s.Next(ctx); err == nil {
		t.Fatalf("told %d to %d: %s%v", d.From, d.To, d.Set.Text(), d.Gone)
	}
}

func bubble(t *testing.T, fn func(t *testing.T, s *mem.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := mem.Open(schema(), mem.Options{})
		t.Cleanup(func() { _ = s.Close() })
		fn(t, s)
	})
}

func TestFollow(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		update(t, s, place(4, "n1"))
		f := start(t, s, feed.Config{})
		sub := f.Subscribe(compile.NodeKey(home, "n1"), 0)
		defer sub.Close()
		first := next(t, sub)
		if first.From != 0 || first.To == 0 || len(first.Set.Interfaces) != 1 || len(first.Set.Members) != 1 {
			t.Errorf("first %+v", first)
		}
		silent(t, sub)

		update(t, s, place(5, "n2"))
		d := next(t, sub)
		if d.From != first.To || d.To <= d.From || d.Set.Text() != `Members sg-1/10.0.0.5 {"Group":"sg-1","Addr":"10.0.0.5"}`+"\n" || d.Gone != nil {
			t.Errorf("then %+v", d)
		}
		update(t, s, func(tx store.Tx) { tables.Interfaces.Put(tx, &vpc.Interface{Home: home, ID: "eni-9", VPC: "vpc-1"}) })
		silent(t, sub) // nothing for this node

		// What a slow subscriber did not take is one change.
		update(t, s, place(6, "n2"))
		update(t, s, place(7, "n1"))
		update(t, s, func(tx store.Tx) { tables.Interfaces.Delete(tx, tables.Key(home, "eni-6")) })
		joined := next(t, sub)
		if joined.From != d.To || len(joined.Set.Interfaces) != 1 || len(joined.Set.Members) != 1 || len(joined.Gone) != 1 {
			t.Errorf("joined %+v", joined)
		}
		silent(t, sub)
	})
}

// A node of another account that has the same name is told nothing.
func TestAnotherAccountsNodeOfTheSameName(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		f := start(t, s, feed.Config{})
		update(t, s, place(4, "n1"))
		sub := f.Subscribe(compile.NodeKey(vpc.Home{Account: "111111111111", Region: home.Region}, "n1"), 0)
		defer sub.Close()
		if d := next(t, sub); d.Set.Len() > 0 {
			t.Errorf("told %s", d.Set.Text())
		}
		update(t, s, place(5, "n1"))
		silent(t, sub)
	})
}

func TestComeBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		network(t, s)
		f := start(t, s, feed.Config{Past: 8, Pending: 8})
		follow := func(have int64) *feed.Subscription {
			sub := f.Subscribe(compile.NodeKey(home, "n1"), have)
			t.Cleanup(sub.Close)
			return sub
		}
		first := next(t, follow(0))
		silent(t, follow(first.To)) // it was told here
		update(t, s, place(4, "n1"))
		second := next(t, follow(first.To))
		if second.From != first.To || len(second.Set.Interfaces) != 1 {
			t.Errorf("since %d: %+v", first.To, second)
		}
		silent(t, follow(second.To))
		for n := range 4 {
			update(t, s, place(10+n, "n1"))
		}
		if d := next(t, follow(second.To)); d.From != 0 || len(d.Set.Interfaces) != 5 {
			t.Errorf("beyond what is kept: %+v", d)
		}
		slow := follow(second.To - 1)
		next(t, slow)
		for n := range 8 {
			update(t, s, place(20+n, "n1"))
		}
		if d := next(t, slow); d.From != 0 || len(d.Set.Interfaces) != 13 {
			t.Errorf("beyond what may wait: %+v", d)
		}
		if d := next(t, follow(1<<40)); d.From != 0 || d.To >= 1<<40 {
			t.Errorf("a version of another store: %+v", d)
		}
	})
}

func TestEnds(t *testing.T) {
	bubble(t, func(t *testing.T, s *mem.Store) {
		t.Helper()
		f := feed.New(feed.Config{Store: s, Log: slog.New(slog.DiscardHandler)})
		closed, left, waits := f.Subscribe(compile.NodeKey(home, "n1"), 0), f.Subscribe(compile.NodeKey(home, "n1"), 0), f.Subscribe(compile.NodeKey(home, "n1"), 0)
		asks := f.Subscribe(compile.NodeKey(home, "n2"), 0)
		errs := make(chan error, 3)
		ctx, cancel := context.WithCancel(t.Context())
		listen := func(ctx context.Context, sub *feed.Subscription) {
			for {
				if _, err := sub.Next(ctx); err != nil {
					errs <- err
					return
				}
			}
		}
		go listen(t.Context(), closed)
		go listen(ctx, left)
		synctest.Wait()
		closed.Close()
		closed.Close()
		cancel()
		synctest.Wait()
		if len(errs) != 2 || <-errs == nil || <-errs == nil {
			t.Error("a subscription that was closed, or whose reader left, still waits")
		}
		go listen(t.Context(), waits)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Run(t.Context()); err == nil {
			t.Error("Run ends in silence when its store does")
		}
		if err := <-errs; err == nil {
			t.Error("a subscription outlives its feed")
		}
		for _, sub := range []*feed.Subscription{asks, f.Subscribe(compile.NodeKey(home, "n1"), 0)} {
			for ended := false; !ended; { // after what there was
				select {
				case <-sub.Ready():
					_, ok, err := sub.Take(t.Context())
					if ended = err != nil; !ok && !ended {
						t.Fatal("a subscription that asks outlives its feed")
					}
				default:
					t.Fatal("a subscription is not told that its feed has ended")
				}
			}
		}
	})
}

// keep compiles everything anew and compares.
func keep(t *testing.T, s store.Store, have *nodeconf.Config, node string) {
	t.Helper()
	err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		x := compile.New(compile.Settings{})
		for h, n := range (machinery{}).All(tx) {
			x.SetNode(compile.NodeKey(h, n), machinery{}.Address(tx, h, n))
			x.SetHome(compile.NodeKey(h, n), h, true)
		}
		x.LoadNames(naming{}.Load(tx))
		x.Load(feed.Records(tx))
		want := x.Config(compile.NodeKey(home, node))
		if have.Text() != want.Text() {
			t.Fatalf("at %d node %s has\n%swant\n%s", have.Version, node, have.Text(), want.Text())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
