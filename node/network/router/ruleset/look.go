package ruleset

import (
	"errors"
	"fmt"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// found is what the kernel has of the tables of a name.
type found struct {
	chains []*nftables.Chain
	sets   []*nftables.Set
	ranges map[string][]Element // of the sets of ranges
}

// dumpTries: the kernel asks for another try when its rules changed during a dump.
const dumpTries = 50

func retryDump[T any](dump func() (T, error)) (out T, err error) {
	for range dumpTries {
		out, err = dump()
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return out, err
		}
	}
	return out, err
}

func look(conn *nftables.Conn, name string, ip nftables.TableFamily) (f found, err error) {
	for _, family := range []nftables.TableFamily{ip, nftables.TableFamilyNetdev} {
		chains, err := retryDump(func() ([]*nftables.Chain, error) { return conn.ListChainsOfTableFamily(family) })
		if err != nil {
			return f, fmt.Errorf("ruleset: list chains: %w", err)
		}
		for _, c := range chains {
			if c.Table.Name == name {
				c.Table.Family = family
				f.chains = append(f.chains, c)
			}
		}
	}
	if len(f.chains) == 0 { // the transaction that makes the table makes chains
		return f, nil
	}
	f.sets, err = retryDump(func() ([]*nftables.Set, error) {
		return conn.GetSets(&nftables.Table{Name: name, Family: ip})
	})
	if errors.Is(err, unix.ENOENT) {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("ruleset: list sets: %w", err)
	}
	return f, f.lookAtRanges(conn)
}

func (f *found) lookAtRanges(conn *nftables.Conn) error {
	f.ranges = map[string][]Element{}
	for _, s := range f.sets {
		if !s.Interval {
			continue
		}
		list, err := retryDump(func() ([]nftables.SetElement, error) { return conn.GetSetElements(s) })
		if err != nil {
			return fmt.Errorf("ruleset: elements of set %s: %w", s.Name, err)
		}
		f.ranges[s.Name] = []Element{}
		for _, e := range list {
			f.ranges[s.Name] = append(f.ranges[s.Name], Element{Set: s.Name, Key: string(e.Key), End: string(e.KeyEnd), Val: string(e.Val)})
		}
	}
	return nil
}

// wanted is what of fragments may be there already.
type wanted struct {
	hooks  map[string]Hook
	ranges map[string]Set
	links  func(device string) bool
}

func wantedOf(all map[string]Fragment, links func(device string) bool) wanted {
	out := wanted{map[string]Hook{}, map[string]Set{}, links}
	for _, f := range all {
		for _, c := range f.Chains {
			if c.Hook.Type != "" {
				out.hooks[c.Name] = c.Hook
			}
		}
		for _, s := range f.Sets {
			if s.Interval {
				out.ranges[s.Name] = s
			}
		}
	}
	return out
}

// sort tells chains of hooks and sets of ranges that are wanted as they are from what has to go first.
func (f found) sort(w *work, want wanted) {
	w.afresh = true
	for _, s := range f.sets {
		now, ok := want.ranges[s.Name]
		if ok && s.Interval && s.KeyType.GetNFTMagic() == now.Key.GetNFTMagic() {
			w.had[s.Name] = f.ranges[s.Name]
			continue
		}
		w.staleSets = append(w.staleSets, &nftables.Set{Name: s.Name, Table: w.ip})
	}
	for _, c := range f.chains {
		h, ok := want.hooks[c.Name]
		if ok && same(c, h) && (h.Device == "" || want.links(h.Device)) {
			w.kept[c.Name] = true
			continue
		}
		w.staleChains = append(w.staleChains, c)
	}
}

func same(c *nftables.Chain, h Hook) bool {
	netdev := c.Table.Family == nftables.TableFamilyNetdev
	return c.Hooknum != nil && c.Priority != nil && *c.Hooknum == h.Hook && *c.Priority == h.Priority && c.Type == h.Type && netdev == (h.Device != "")
}
