package control

import (
	"context"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
)

var home = vpc.Home{Account: "000000000000", Region: "us-east-1"}

// jobs are owners of another wing, whose records are DHCP options here: any table does.
type jobs struct{}

func (jobs) Tables() []string { return []string{tables.DHCPOptions.Name()} }

func (jobs) Ended(c store.Change) (vpc.Home, string, bool) {
	old, now, ok := tables.DHCPOptions.Of(c)
	if !ok || now != nil {
		return vpc.Home{}, "", false
	}
	return old.Home, old.ID, true
}

func (jobs) Owned(tx store.Tx, i *vpc.Interface) bool {
	if i.Owner == "stranger" {
		return true
	}
	_, ok := tables.DHCPOptions.Get(tx, tables.Key(i.Home, i.Owner))
	return ok
}

// world is a region whose loops run, in a bubble of virtual time.
type world struct {
	*testing.T
	store  *mem.Store
	stop   func()
	subnet *vpc.Subnet
}

func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, store: mem.Open(tables.Schema(), mem.Options{})}
		w.update(func(tx store.Tx) {
			v := &vpc.VPC{Home: home, Blocks: []vpc.Block{{CIDR: netip.MustParsePrefix("10.0.0.0/16")}}}
			tables.MakeVPC(tx, v)
			w.subnet = &vpc.Subnet{Home: home, ID: "subnet-1", VPC: v.ID, CIDR: netip.MustParsePrefix("10.0.0.0/24")}
			tables.Subnets.Put(tx, w.subnet)
		})
		w.start()
		test(w)
		w.stop()
		_ = w.store.Close()
	})
}

// start runs the loops, as a leader does.
func (w *world) start() {
	l, err := New(Config{Owners: jobs{}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := w.store.Lead(ctx, l.Run); err != nil && ctx.Err() == nil {
			w.Error(err)
		}
	})
	w.stop = func() { cancel(); run.Wait() }
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) update(fn func(tx store.Tx)) {
	w.Helper()
	if err := w.store.Update(w.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

// job makes an owner and its interface, in one transaction.
func (w *world) job(id string) (i *vpc.Interface) {
	w.Helper()
	w.update(func(tx store.Tx) {
		tables.DHCPOptions.Put(tx, &vpc.DHCPOptions{Home: home, ID: id})
		var err error
		if i, err = tables.Attach(tx, tables.Spec{Home: home, Subnet: w.subnet.ID, Owner: id}); err != nil {
			w.Fatal(err)
		}
	})
	return i
}

func (w *world) end(id string) {
	w.update(func(tx store.Tx) { tables.DHCPOptions.Delete(tx, tables.Key(home, id)) })
}

// has counts the records of a table.
func (w *world) has(table string, want int) {
	w.Helper()
	n := 0
	if err := w.store.View(w.Context(), store.Fresh, func(tx store.Tx) error {
		for name := range tables.Schema().Records(tx) {
			if len(name) > len(table) && name[:len(table)+1] == table+" " {
				n++
			}
		}
		return nil
	}); err != nil {
		w.Fatal(err)
	}
	if n != want {
		w.Errorf("%s: %d records, want %d", table, n, want)
	}
}

func TestInterfacesGoWithTheirOwners(t *testing.T) {
	bubble(t, func(w *world) {
		w.job("a")
		w.job("b")
		w.update(func(tx store.Tx) { // nobody's, and of an owner that is not known
			for _, owner := range []string{"", "stranger"} {
				if _, err := tables.Attach(tx, tables.Spec{Home: home, Subnet: w.subnet.ID, Owner: owner}); err != nil {
					t.Fatal(err)
				}
			}
		})
		w.pass(time.Hour)
		w.has("vpc.interface", 4)
		w.end("a")
		w.pass(time.Second)
		w.has("vpc.interface", 3)
		w.stop()
		w.end("b") // while nobody leads
		w.pass(time.Second)
		w.has("vpc.interface", 3)
		w.start()
		w.pass(time.Second)
		w.has("vpc.interface", 2)
	})
}

func TestInterfacesOfNATGateways(t *testing.T) {
	bubble(t, func(w *world) {
		n := &vpc.NATGateway{Home: home, ID: "nat-00000000000000001", Subnet: w.subnet.ID}
		w.update(func(tx store.Tx) {
			if _, err := tables.AttachNAT(tx, n, nil); err != nil {
				t.Fatal(err)
			}
			tables.NATGateways.Put(tx, n)
			tables.PutTags(tx, home, n.ID, []vpc.Pair{{Key: "a"}})
		})
		w.pass(time.Hour)
		w.has("vpc.interface", 1)
		w.update(func(tx store.Tx) {
			gone := *n
			gone.DeletedAt = tx.Now()
			tables.NATGateways.Put(tx, &gone)
		})
		w.pass(time.Second)
		w.has("vpc.interface", 0)
		w.has("vpc.natgateway", 1)
		w.pass(vpc.DeletedLife + time.Minute)
		w.has("vpc.natgateway", 0)
		w.has("vpc.tags", 0)
	})
}

func TestRestedAddressesAreForgotten(t *testing.T) {
	bubble(t, func(w *world) {
		var made []*vpc.Interface
		for n := range 120 {
			made = append(made, w.job(strconv.Itoa(n)))
		}
		for _, i := range made[1:] {
			w.end(i.Owner)
		}
		w.pass(30 * time.Second)
		w.has("vpc.interface", 1)
		w.has("vpc.address", 120)
		w.pass(time.Minute)
		w.has("vpc.address", 1)
		w.update(func(tx store.Tx) { // of the pool
			a, err := tables.TakePublic(tx, netip.MustParsePrefix("198.18.0.0/15"), home, "x")
			if err != nil {
				t.Fatal(err)
			}
			tables.FreePublic(tx, a, "x")
		})
		w.has("vpc.public", 1)
		w.pass(2 * time.Minute)
		w.has("vpc.public", 0)
	})
}

// An address that is taken again after it was found over is not forgotten.
func TestForgetLooksAgain(t *testing.T) {
	bubble(t, func(w *world) {
		w.stop()
		i := w.job("a")
		w.end("a")
		w.update(func(tx store.Tx) { tables.Release(tx, home, i.ID) })
		w.pass(time.Hour)
		kind := tables.Kinds()["addresses"]
		var over []string
		_ = w.store.View(w.Context(), store.Fresh, func(tx store.Tx) error { over, _ = kind.Over(tx); return nil })
		if len(over) != 1 {
			t.Fatal(over)
		}
		w.update(func(tx store.Tx) {
			if _, err := tables.Attach(tx, tables.Spec{Home: home, Subnet: w.subnet.ID, Wanted: tables.Wanted{Private: []netip.Addr{i.Private[0].Addr}}}); err != nil {
				t.Fatal(err)
			}
		})
		w.update(func(tx store.Tx) { kind.Forget(tx, over[0]) })
		w.has("vpc.address", 1)
		w.start()
	})
}

func TestLeftovers(t *testing.T) {
	bubble(t, func(w *world) {
		w.stop()
		w.update(func(tx store.Tx) {
			for range 45 {
				tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: tx.NewID(), Group: "sg-gone"})
			}
		})
		w.update(func(tx store.Tx) {
			for range 45 {
				tables.Rules.Put(tx, &vpc.Rule{Home: home, ID: tx.NewID(), Group: "sg-gone"})
			}
			tables.Tokens.Put(tx, &vpc.Token{Home: home, Operation: "CreateVpc", Token: "t", At: tx.Now()})
		})
		w.start()
		w.pass(time.Second)
		w.has("vpc.rule", 2) // of the default group
		w.has("vpc.token", 1)
		w.pass(vpc.TokenLife + time.Minute)
		w.has("vpc.token", 0)
	})
}
