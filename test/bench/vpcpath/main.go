// Command vpcpath measures what a virtual network costs: two interfaces of a VPC, in different subnets, with security groups and network ACLs,
// beside two namespaces that a plain pair of links connects.
//
// The arms are interleaved (ABBA); client and server are pinned to a processor each. One arm is the plain pair against itself: a difference
// smaller than that is noise. It needs root, and sends nothing outside of namespaces of its own.
//
//	go run ./test/bench/vpcpath
//	go run ./test/bench/vpcpath -nodes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/test/bench/abba"
)

func main() {
	rounds := flag.Int("rounds", 40, "rounds of ABBA, at least 7")
	nodes := flag.Bool("nodes", false, "measure a VPC that spans two machines, beside a VXLAN device of the kernel's")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	measure := run
	if *nodes {
		measure = onNodes
	}
	if err := measure(ctx, max(*rounds, 7)); err != nil {
		fmt.Fprintln(os.Stderr, "vpcpath:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int) (err error) {
	w, err := build(ctx)
	if w != nil {
		defer func() { err = errors.Join(err, w.close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	paths := map[string]string{"plain": path(w.plain[1]), "large": path(w.large[1])}
	for _, id := range []string{"client", "few", "again", "many", "turn"} {
		e, err := w.r.Wait(ctx, id)
		if err != nil {
			return fmt.Errorf("interface: %w", err)
		}
		paths[id] = e.Netns
	}
	for _, id := range []string{"plain", "large", "few", "again", "many", "turn"} {
		if err := serve(paths[id]); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
	}
	for _, step := range []func() error{
		func() error { return w.throughput(ctx, rounds, paths["client"]) },
		func() error { return w.firstPackets(paths["client"]) },
		func() error { return w.enforced(ctx, paths["client"]) },
		func() error { return w.attach(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) to(id string) netip.AddrPort {
	if id == "plain" || id == "large" {
		return netip.AddrPortFrom(w.address, 80)
	}
	return netip.AddrPortFrom(w.conf.Interfaces[id].Addresses[0], 80)
}

// throughput is the three ways to use a connection.
func (w *world) throughput(ctx context.Context, rounds int, client string) error {
	for _, kind := range kinds(0.95, 0.92, 0.90) {
		vpc, end := kind.arm("VPC", client, w.to("few"))
		plain, endPlain := kind.arm("plain pair", path(w.plain[0]), w.to("plain"))
		large, endLarge := kind.arm("plain, large", path(w.large[0]), w.to("large"))
		arms := []*abba.Arm{vpc, plain, {Name: "plain again", Once: plain.Once}, large}
		err := abba.Run(ctx, rounds, arms...)
		for _, f := range []func(){end, endPlain, endLarge} {
			f()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		fmt.Println(kind.name + ":")
		abba.Rates(os.Stdout, arms[1], arms...)
		verdict(float64(arms[1].Quantile(0.5))/float64(arms[0].Quantile(0.5)), kind.target)
	}
	return nil
}

func verdict(ratio, least float64) {
	word := "met"
	if ratio < least {
		word = "MISSED"
	}
	fmt.Printf("  target: at least %.2f, measured %.2f: %s\n", least, ratio, word)
}

// firstPackets is how long a connection takes to interfaces with ten rules, to others with as many, and to one with thirty thousand. What
// the second is to the first is noise.
func (w *world) firstPackets(client string) error {
	const blocks, each = 20, 1000
	ids := []string{"few", "many", "again"}
	times, tails := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range blocks {
		block := map[string][]time.Duration{}
		_, err := pinned(client, 0, func() (struct{}, error) {
			for i := range each * len(ids) {
				id := ids[i%len(ids)]
				if i/len(ids)%2 == 1 {
					id = ids[len(ids)-1-i%len(ids)]
				}
				d, err := first(w.to(id))
				if err != nil {
					return struct{}{}, err
				}
				block[id] = append(block[id], d)
			}
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
		for id, d := range block {
			times[id] = append(times[id], d...)
			tails[id] = append(tails[id], quantile(d, 0.99))
		}
	}
	fmt.Printf("first packets (a connection, %d blocks of %d each):\n", blocks, each)
	for _, id := range ids {
		fmt.Printf("  %-5s p50 %v p99 %v, p99 of blocks %v to %v\n", id, quantile(times[id], 0.5), quantile(times[id], 0.99), quantile(tails[id], 0), quantile(tails[id], 1))
	}
	ratio := func(id string) float64 {
		return float64(quantile(tails[id], 0.5)) / float64(quantile(tails["few"], 0.5))
	}
	fmt.Printf("  p99, median of blocks: with %d rules %.2f× that with 10 (target at most 1.1), with 10 again %.2f×\n", manyRules, ratio("many"), ratio("again"))
	return nil
}

// first is a connection that the server has answered on before it is closed, so that the next one does not meet it.
func first(to netip.AddrPort) (time.Duration, error) {
	began := time.Now()
	fd, err := connect(to)
	if err != nil {
		return 0, err
	}
	d := time.Since(began)
	defer func() { _ = unix.Close(fd) }()
	return d, exchange(fd, []byte{'r'})
}

func quantile(d []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[int(q*float64(len(s)-1))]
}

// enforced is from the arrival of a change to the first connection that it lets through, in a group of few and one of many rules.
func (w *world) enforced(ctx context.Context, client string) error {
	for _, group := range []string{"sg-turn", "sg-many"} {
		var times []time.Duration
		g := w.conf.Groups[group]
		shut, open := g, g
		shut.Ingress = g.Ingress[:len(g.Ingress)-1]
		other := w.conf.Groups[map[string]string{"sg-turn": "sg-many", "sg-many": "sg-turn"}[group]]
		rest := other
		rest.Ingress = other.Ingress[:len(other.Ingress)-1]
		if err := w.change(ctx, nodeconf.Resources{Groups: map[string]nodeconf.Group{rest.ID: rest}}); err != nil {
			return err
		}
		for range 100 {
			if err := w.change(ctx, nodeconf.Resources{Groups: map[string]nodeconf.Group{group: shut}}); err != nil {
				return err
			}
			began := time.Now()
			if err := w.change(ctx, nodeconf.Resources{Groups: map[string]nodeconf.Group{group: open}}); err != nil {
				return err
			}
			_, err := pinned(client, 0, func() (struct{}, error) {
				fd, err := connect(w.to("turn"))
				_ = unix.Close(fd)
				return struct{}{}, err
			})
			if err != nil {
				return err
			}
			times = append(times, time.Since(began))
		}
		fmt.Printf("one rule of %d changed → enforced: p50 %v p99 %v (target at most 50ms)\n", len(g.Ingress), quantile(times, 0.5), quantile(times, 0.99))
		if err := w.change(ctx, nodeconf.Resources{Groups: map[string]nodeconf.Group{other.ID: other}}); err != nil {
			return err
		}
	}
	return nil
}

// attach is from the arrival of an interface to its being ready, and until it is gone.
func (w *world) attach(ctx context.Context) error {
	var come, leave []time.Duration
	for n := range byte(50) {
		id := fmt.Sprintf("guest-%d", n) // another each time, as tasks have: the same one waits until its link is gone
		w.iface(id, "a", 77+n, "sg-few")
		i := w.conf.Interfaces[id]
		delete(w.conf.Interfaces, id)
		began := time.Now()
		if err := w.change(ctx, nodeconf.Resources{Interfaces: map[string]nodeconf.Interface{id: i}}); err != nil {
			return err
		}
		if _, err := w.r.Wait(ctx, id); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		come = append(come, time.Since(began))
		began = time.Now()
		if err := w.change(ctx, nodeconf.Resources{}, nodeconf.Key{Kind: "Interfaces", ID: id}); err != nil {
			return err
		}
		leave = append(leave, time.Since(began))
	}
	fmt.Printf("an interface: ready after p50 %v p99 %v, gone after p50 %v p99 %v\n", quantile(come, 0.5), quantile(come, 0.99), quantile(leave, 0.5), quantile(leave, 0.99))
	return nil
}
