package tryout

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/node/network"
)

// Want is how many machines there are to be.
type Want struct {
	Servers, Nodes int          // 0: as many as there are
	Network        netip.Prefix // the zero Prefix: that of before, else Network
	Front          func(context.Context) error
}

// Network is where the machines are, unless another is asked for.
var Network = netip.MustParsePrefix("10.99.0.0/24")

// Up makes what is not there, mends the links, starts what does not run, and waits until the servers are ready.
func (r *Region) Up(ctx context.Context, w Want) error {
	if err := r.check(); err != nil {
		return err
	}
	return r.change(func(p *Plan) error {
		if err := r.grow(p, w); err != nil {
			return err
		}
		for i := range p.Machines {
			p.Machines[i].Stopped, p.Machines[i].Link = false, Link{}
		}
		if err := r.save(*p); err != nil { // before anything of it is made
			return err
		}
		r.Show(fmt.Sprintf("machines  %d servers and %d nodes on %s", p.count(joining.Server), p.count(joining.Node), p.Network))
		if err := r.again(ctx); err != nil { // relays end before their links are made straight
			return err
		}
		if err := r.plugs(p); err != nil {
			return err
		}
		if err := w.Front(ctx); err != nil {
			return err
		}
		return r.begin(ctx, p)
	})
}

// grow says what is to be there.
func (r *Region) grow(p *Plan, w Want) error {
	if len(p.Machines) == 0 {
		if _, err := os.Stat(filepath.Join(r.Settings.DataDir, "etcd")); err == nil {
			return fmt.Errorf("%s holds the region of one machine: give several machines a data-dir, a run-dir and a name of their own", r.Settings.DataDir)
		}
		p.Network = Network
		if w.Network.IsValid() {
			p.Network = w.Network
		}
	}
	if w.Network.IsValid() && w.Network != p.Network {
		return fmt.Errorf("the machines are on %s: berth down --purge first", p.Network)
	}
	if err := CheckNetwork(p.Network); err != nil {
		return err
	}
	if w.Servers == 0 {
		w.Servers = max(1, p.count(joining.Server))
	}
	if w.Nodes == 0 {
		w.Nodes = p.count(joining.Node)
	}
	return p.Grow(w.Servers, w.Nodes, r.Settings.ZonesOf(r.Settings.Region))
}

// plugs makes the wire, this machine's door to it, and the machines.
func (r *Region) plugs(p *Plan) error {
	if err := r.wire().Make(); err != nil {
		return err
	}
	if err := r.wire().Door(r.door(p)); err != nil {
		return err
	}
	if drops, err := network.ForwardDrops(r.Settings.Name); err != nil {
		return err
	} else if err := network.OpenDoors(r.Settings.Name, drops); err != nil {
		return err
	}
	for _, m := range p.Machines {
		if m.Lost {
			continue
		}
		if err := r.wire().Plug(r.plug(p, m)); err != nil {
			return err
		}
	}
	return nil
}

// begin starts the servers that have records together, since they need each other; then those that are to join, one after the other; then
// the nodes.
func (r *Region) begin(ctx context.Context, p *Plan) error {
	there := slices.DeleteFunc(slices.Clone(p.Machines), func(m Machine) bool {
		if m.Lost {
			r.Show(fmt.Sprintf("          %s is lost: berth host start %s puts another in its place", m.Name, m.Name))
		}
		return m.Lost
	})
	var together, later, nodes []Machine
	for _, m := range there {
		switch {
		case m.Role == joining.Node:
			nodes = append(nodes, m)
		case r.joins(p, m):
			later = append(later, m)
		default:
			together = append(together, m)
		}
	}
	groups := [][]Machine{together}
	for _, m := range later {
		groups = append(groups, []Machine{m})
	}
	for _, g := range append(groups, nodes) {
		if err := r.startAll(ctx, p, g); err != nil {
			return err
		}
	}
	return nil
}

// startAll starts machines and waits until the servers among them are ready.
func (r *Region) startAll(ctx context.Context, p *Plan, all []Machine) error {
	for _, m := range all {
		if err := r.start(ctx, p, m); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range all {
		if m.Role == joining.Server {
			group.Go(func() error { return r.await(ctx, m) })
		}
	}
	return group.Wait()
}

// Down ends everything that runs, and removes all of it but the data.
func (r *Region) Down(ctx context.Context, purge bool) error {
	return r.change(func(p *Plan) error {
		group, gctx := errgroup.WithContext(ctx)
		for _, m := range p.Machines {
			group.Go(func() error {
				if err := r.clear(gctx, p, m, purge); err != nil {
					return fmt.Errorf("%s: %w", m.Name, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		return r.unwire(p)
	})
}

// unwire removes what the machines had between them.
func (r *Region) unwire(p *Plan) error {
	errs := []error{r.door(p).Close(), network.CloseDoors(r.Settings.Name)}
	for _, m := range p.Machines {
		errs = append(errs, r.wire().Unplug(r.plug(p, m)))
	}
	return errors.Join(append(errs, r.wire().Remove())...)
}
