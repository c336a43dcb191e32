// Command ripple measures how long a change of one thing takes until it is true on every node: a rule of a security group that has members on five nodes,
// and a task that is to be reached from all of them. What is measured are packets; flows that nothing was changed about are counted meanwhile.
//
// Servers and nodes are processes in namespaces of this machine. It needs root, and sends nothing outside of them.
//
//	go run ./test/bench/ripple
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/berth-ecs/berth/test/installation"
)

func main() {
	var o options
	flag.IntVar(&o.servers, "servers", 3, "servers of the region")
	flag.IntVar(&o.nodes, "nodes", 5, "nodes of it")
	flag.IntVar(&o.rules, "rules", 100, "how often the rule is made and taken away")
	flag.IntVar(&o.tasks, "tasks", 20, "how many tasks are started")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b := &bench{ctx: ctx}
	failed := b.run(func() { measure(b, o) })
	installation.Discard()
	if failed {
		os.Exit(1)
	}
}

type options struct{ servers, nodes, rules, tasks int }

func measure(b *bench, o options) {
	w := build(b, o.servers, o.nodes)
	flows := w.flow()
	var made, gone []time.Duration
	for range o.rules {
		made = append(made, w.allow())
		gone = append(gone, w.deny())
	}
	sent, lost := flows()
	fmt.Printf("%d servers, %d nodes; %d flows of other ports: %d requests, %d of them lost\n", o.servers, o.nodes, o.nodes, sent, lost)
	show("a rule was made: asked → true for members on every node", made)
	show("a rule was taken away: asked → true for members on every node", gone)
	flows = w.flow()
	var up, spread []time.Duration
	for range o.tasks {
		u, s := w.start()
		up, spread = append(up, u), append(spread, s)
	}
	sent, lost = flows()
	fmt.Printf("other flows meanwhile: %d requests, %d of them lost\n", sent, lost)
	show("RunTask asked → its interface answers somewhere", up)
	show("its interface answers somewhere → answers every node", spread)
}

func show(what string, all []time.Duration) {
	slices.Sort(all)
	at := func(q float64) time.Duration {
		return all[min(len(all)-1, int(q*float64(len(all))))].Round(100 * time.Microsecond)
	}
	fmt.Printf("%-70s p50 %v  p99 %v  most %v  (n = %d)\n", what, at(0.5), at(0.99), all[len(all)-1].Round(100*time.Microsecond), len(all))
}
