package networktest

import (
	"context"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
)

// World is an implementation to be held to the port, on a store that loses races.
type World struct {
	Store   store.Store
	Network tables.Network
	Home    ecs.Home
	Subnet  string   // with at least 40 free addresses
	Groups  []string // of its VPC, two of them
}

// Check holds an implementation of tables.Network to what its methods promise.
func Check(t *testing.T, w World) {
	t.Helper()
	t.Run("what is not there is left out", w.unknown)
	t.Run("interfaces are counted, and their end gives back what they had", w.counted)
	t.Run("no address has two owners", w.unique)
	t.Run("many fit into one transaction", w.many)
}

func (w World) update(t *testing.T, fn func(store.Tx) error) {
	t.Helper()
	if err := w.Store.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func (w World) wish() ecs.InterfaceWish {
	return ecs.InterfaceWish{Home: w.Home, Subnet: w.Subnet, Groups: w.Groups, Task: w.Home.TaskARN("c", "t"), Attachment: w.Home.AttachmentARN("a"), Node: "n"}
}

func (w World) unknown(t *testing.T) {
	w.update(t, func(tx store.Tx) error {
		subnets, groups := w.Network.Find(tx, w.Home, []string{"subnet-0", w.Subnet}, []string{w.Groups[1], "sg-0", w.Groups[0]})
		if len(subnets) != 1 || subnets[0].ID != w.Subnet || subnets[0].VPC == "" || subnets[0].Zone == "" {
			t.Errorf("subnets %+v", subnets)
		}
		if len(groups) != 2 || groups[0].ID != w.Groups[1] || groups[1].VPC != subnets[0].VPC {
			t.Errorf("groups %+v", groups)
		}
		w.Network.Release(tx, w.Home, "eni-0")
		bad := w.wish()
		bad.Subnet = "subnet-0"
		if i, err := w.Network.Attach(tx, bad); err == nil {
			t.Errorf("attached to nothing: %+v", i)
		}
		return nil
	})
}

func (w World) free(tx store.Tx) int {
	subnets, _ := w.Network.Find(tx, w.Home, []string{w.Subnet}, nil)
	return subnets[0].Free
}

func (w World) counted(t *testing.T) {
	var made *ecs.Interface
	before := 0
	w.update(t, func(tx store.Tx) (err error) {
		before = w.free(tx)
		made, err = w.Network.Attach(tx, w.wish())
		return err
	})
	if made.Subnet != w.Subnet || made.MAC == "" || made.ID == "" || !made.Gateway.Masked().Contains(made.Private) || made.Gateway.Addr() == made.Private || len(made.Servers) == 0 {
		t.Errorf("%+v", made)
	}
	for range 2 { // the second time says nothing new
		w.update(t, func(tx store.Tx) error {
			if n := w.free(tx); n != before-1 && n != before {
				t.Errorf("%d are free, before there were %d", n, before)
			}
			w.Network.Release(tx, w.Home, made.ID)
			return nil
		})
	}
	w.update(t, func(tx store.Tx) error {
		if d := cmp.Diff(before, w.free(tx)); d != "" {
			t.Errorf("free after the end: %s", d)
		}
		return nil
	})
}

func (w World) unique(t *testing.T) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		owner = map[netip.Addr]string{}
	)
	for range 8 {
		wg.Go(func() {
			for range 3 {
				var made *ecs.Interface
				err := w.Store.Update(context.Background(), func(tx store.Tx) (err error) {
					made, err = w.Network.Attach(tx, w.wish())
					return err
				})
				mu.Lock()
				if err != nil {
					t.Error(err)
				} else if other, taken := owner[made.Private]; taken {
					t.Errorf("%s is %s's and %s's", made.Private, other, made.ID)
				} else {
					owner[made.Private] = made.ID
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.update(t, func(tx store.Tx) error {
		for _, id := range owner {
			w.Network.Release(tx, w.Home, id)
		}
		return nil
	})
}

func (w World) many(t *testing.T) {
	var ids []string
	w.update(t, func(tx store.Tx) error {
		ids = nil
		for range tables.MaxAttached {
			i, err := w.Network.Attach(tx, w.wish())
			if err != nil {
				return err
			}
			ids = append(ids, i.ID)
		}
		return nil
	})
	w.update(t, func(tx store.Tx) error {
		for _, id := range ids {
			w.Network.Release(tx, w.Home, id)
		}
		return nil
	})
}
