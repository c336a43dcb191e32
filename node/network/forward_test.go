package network

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// A chain that drops by policy would hurt everybody on the machine, so this test lives in a namespace of its own.
func TestForwardDropsAreFoundAndOpened(t *testing.T) {
	needRoot(t)
	ns, err := buildLonely()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	err = netspace.Inside(ns, func() error {
		for _, table := range []struct {
			name   string
			family nftables.TableFamily
			door   string
		}{{"filter", nftables.TableFamilyIPv4, dockerDoor}, {"firewall", nftables.TableFamilyINet, ""}} {
			if err := makeDropping(table.name, table.family, table.door); err != nil {
				return err
			}
		}
		drops, err := ForwardDrops("x")
		if err != nil {
			return err
		}
		want := []ForwardDrop{{"ip", "filter", "FORWARD", dockerDoor, false}, {"inet", "firewall", "FORWARD", "FORWARD", false}}
		if !slices.Equal(drops, want) {
			t.Errorf("found %+v, want %+v", drops, want)
		}
		if fix := drops[0].Fix("x"); !strings.Contains(fix, "nft insert rule ip filter DOCKER-USER iifname x0 accept") {
			t.Errorf("fix %q", fix)
		}
		for range 2 {
			if err := OpenDoors("x", drops); err != nil {
				return err
			}
			if drops, err = ForwardDrops("x"); err != nil {
				return err
			}
			if !drops[0].Open || !drops[1].Open {
				t.Errorf("after opening: %+v", drops)
			}
		}
		if err := CloseDoors("x"); err != nil {
			return err
		}
		if drops, err = ForwardDrops("x"); err == nil && !slices.Equal(drops, want) {
			t.Errorf("after closing: %+v", drops)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func makeDropping(name string, family nftables.TableFamily, door string) error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	drop := nftables.ChainPolicyDrop
	table := conn.AddTable(&nftables.Table{Name: name, Family: family})
	c := place{nftables.ChainTypeFilter, nftables.ChainHookForward, 0}.chain(table, "FORWARD")
	c.Policy = &drop
	conn.AddChain(c)
	if door != "" {
		conn.AddChain(&nftables.Chain{Name: door, Table: table})
	}
	return conn.Flush()
}
