// Command compile measures what one task's start costs the compiler of node configurations in a region of 5,000 nodes and 150,000
// interfaces: the change beside compiling everything anew, in time and in bytes to send.
//
// The arms are interleaved (ABBA). The region has 50 VPCs over 100 nodes each; 60 services a VPC, each with a group of its own that names the
// group of the service before. More variants, measured without the other arm: nodes that are told of the interfaces on other nodes, and one VPC over
// all nodes.
//
//	go run ./test/bench/compile -rounds 7; -alone leaves the slow arm out
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	alone := flag.Bool("alone", false, "without the arm that compiles everything")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, r := range []region{
		{name: "50 VPCs of 100 nodes, one machine's way of knowing no other", vpcs: 50, nodes: 5000, services: 60, each: 50},
		{name: "the same, nodes are told of each other's interfaces", vpcs: 50, nodes: 5000, services: 60, each: 50, machines: true, alone: true},
		{name: "one VPC over all nodes", vpcs: 1, nodes: 5000, services: 3000, each: 50, alone: true},
		{name: "the same, nodes are told of each other's interfaces", vpcs: 1, nodes: 5000, services: 3000, each: 50, machines: true, alone: true},
	} {
		r.alone = r.alone || *alone
		if err := r.measure(ctx, max(*rounds, 7)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// measure times a start (and the stop after it, as half of a pair) beside compiling all records for all nodes.
func (r region) measure(ctx context.Context, rounds int) error {
	records := r.records()
	x := r.index()
	x.Load(slices.Values(records))
	started := r.task(0, 1, 7)
	started.ID, started.Private = "eni-started", []vpc.Private{{Addr: address(0, 1<<18-3)}}

	sent := x.Apply(compile.Change{New: started})
	bytes, entries := size(sent)
	x.Apply(compile.Change{Old: started})

	const pairs = 500
	one := &abba.Arm{Name: "one task started", Once: func(context.Context) (time.Duration, error) {
		began := time.Now()
		for range pairs {
			x.Apply(compile.Change{New: started})
			x.Apply(compile.Change{Old: started})
		}
		return time.Since(began) / (2 * pairs), nil
	}}
	all := 0
	full := &abba.Arm{Name: "everything anew", Once: func(context.Context) (time.Duration, error) {
		began := time.Now()
		anew := r.index()
		anew.Load(slices.Values(records))
		all = 0
		for node := range anew.Nodes() {
			c := anew.Config(node)
			all += c.Len()
		}
		return time.Since(began), nil
	}}
	fmt.Printf("\n%s: %d interfaces\n", r.name, len(x.Records().Interfaces))
	arms := []*abba.Arm{one}
	if !r.alone {
		arms = append(arms, full)
	}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	fmt.Printf("  one task started: %.3f ms (p90 %.3f); %d nodes are told %d resources, %d bytes\n", ms(one.Quantile(0.5)), ms(one.Quantile(0.9)), len(sent), entries, bytes)
	if !r.alone {
		fmt.Printf("  everything anew: %.0f ms (p90 %.0f); %d resources: %.0f times the change\n", ms(full.Quantile(0.5)), ms(full.Quantile(0.9)), all,
			float64(full.Quantile(0.5))/float64(one.Quantile(0.5)))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// size is what changes take on the wire, and how many resources are in them.
func size(ds map[string]*nodeconf.Delta) (bytes, entries int) {
	for _, d := range ds {
		raw, err := json.Marshal(d)
		if err != nil {
			panic(err) // plain types cannot fail
		}
		bytes += len(raw)
		entries += d.Set.Len() + len(d.Gone)
	}
	return bytes, entries
}
