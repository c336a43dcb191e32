// Command vpcpath measures what a virtual network costs: two interfaces of a VPC, in different subnets, with security groups and network ACLs,
// beside two namespaces that a plain pair of links connects.
//
// The arms are interleaved (ABBA); client and server are pinned to a processor each. One arm is the plain pair against itself: a difference
// smaller than that is noise. It needs root, and sends nothing outside of namespaces of its own.
//
//	go run ./test/bench/vpcpath -rounds 7
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
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, max(*rounds, 7)); err != nil {
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
	paths := map[string]string{"plain": w.plainPath(1)}
	for _, id := range []string{"client", "few", "many", "turn"} {
		e, err := w.r.Wait(ctx, id)
		if err != nil {
			return fmt.Errorf("interface: %w", err)
		}
		paths[id] = e.Netns
	}
	for _, id := range []string{"plain", "few", "many", "turn"} {
		if err := serve(paths[id], 80); err != nil {
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
	if id == "plain" {
		return netip.AddrPortFrom(w.address, 80)
	}
	return netip.AddrPortFrom(w.conf.Interfaces[id].Addresses[0], 80)
}

// throughput is the three ways to use a connection.
func (w *world) throughput(ctx context.Context, rounds int, client string) error {
	for _, kind := range []struct {
		name   string
		do     work
		target float64
	}{{"TCP stream", stream, 0.95}, {"request/response", requests, 0.92}, {"connect", connections, 0.90}} {
		arm := func(name, path, to string) *abba.Arm {
			return &abba.Arm{Name: name, Once: func(context.Context) (time.Duration, error) {
				return pinned(path, 0, func() (time.Duration, error) { return kind.do(w.to(to)) })
			}}
		}
		arms := []*abba.Arm{arm("VPC", client, "few"), arm("plain pair", w.plainPath(0), "plain"), arm("plain again", w.plainPath(0), "plain")}
		if err := abba.Run(ctx, rounds, arms...); err != nil {
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

// firstPackets is how long a connection takes to an interface with ten rules and to one with thirty thousand.
func (w *world) firstPackets(client string) error {
	times := map[string][]time.Duration{}
	_, err := pinned(client, 0, func() (struct{}, error) {
		for i := range 8000 {
			id := []string{"few", "many", "many", "few"}[i%4]
			began := time.Now()
			fd, err := connect(w.to(id))
			if err != nil {
				return struct{}{}, err
			}
			times[id] = append(times[id], time.Since(began))
			_ = unix.Close(fd)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("first packets (a connection, n = %d each):\n", len(times["few"]))
	for _, id := range []string{"few", "many"} {
		fmt.Printf("  %-5s p50 %v p99 %v\n", id, quantile(times[id], 0.5), quantile(times[id], 0.99))
	}
	fmt.Printf("  p99 with %d rules: %.2f× that with 10 (target at most 1.1)\n", manyRules, float64(quantile(times["many"], 0.99))/float64(quantile(times["few"], 0.99)))
	return nil
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
	for range 50 {
		w.iface("guest", "a", 77, "sg-few")
		i := w.conf.Interfaces["guest"]
		delete(w.conf.Interfaces, "guest")
		began := time.Now()
		if err := w.change(ctx, nodeconf.Resources{Interfaces: map[string]nodeconf.Interface{"guest": i}}); err != nil {
			return err
		}
		if _, err := w.r.Wait(ctx, "guest"); err != nil {
			return fmt.Errorf("guest: %w", err)
		}
		come = append(come, time.Since(began))
		began = time.Now()
		if err := w.change(ctx, nodeconf.Resources{}, nodeconf.Key{Kind: "Interfaces", ID: "guest"}); err != nil {
			return err
		}
		leave = append(leave, time.Since(began))
	}
	fmt.Printf("an interface: ready after p50 %v p99 %v, gone after p50 %v p99 %v\n", quantile(come, 0.5), quantile(come, 0.99), quantile(leave, 0.5), quantile(leave, 0.99))
	return nil
}
