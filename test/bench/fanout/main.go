// Command fanout measures how long a change takes from its commit to the last node that it concerns: 5,000 simulated nodes follow their
// configuration on one server, each over a web socket of its own on loopback, while tasks start at a steady rate whether or not the nodes keep up.
//
// A start is the commit of a task's interface: every node of its VPC is told where the interface is, and those with a group that names its
// group that it is a member. It has arrived when the last of them has read the bytes of a change that holds it. The nodes are a process of their own; they
// and the server share the processors of the machine, and so does everything else that runs there.
//
//	go run ./test/bench/fanout; -nodes 5000 -vpcs 100 -rate 100 -for 20s -cpu FILE -memory FILE. -vpcs 1 is one VPC over all nodes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"
)

// options are the size of the region and the load.
type options struct {
	nodes, vpcs, tasks int // tasks a node that run before
	rate               float64
	length             time.Duration
	cpu, memory        string
}

func main() {
	var o options
	flag.IntVar(&o.nodes, "nodes", 5000, "nodes")
	flag.IntVar(&o.vpcs, "vpcs", 100, "VPCs, over which nodes are shared out")
	flag.IntVar(&o.tasks, "tasks", 4, "tasks of each node that run before")
	flag.Float64Var(&o.rate, "rate", 100, "starts a second")
	flag.DurationVar(&o.length, "for", 20*time.Second, "how long tasks start")
	flag.StringVar(&o.cpu, "cpu", "", "file for a profile of the processors")
	flag.StringVar(&o.memory, "memory", "", "file for a profile of what was allocated, and is in use")
	simulated := flag.String("simulate", "", "address of a server: be the nodes of one that runs in another process")
	at := flag.Int64("at", 0, "version that simulated nodes come with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := func() error { return run(ctx, o) }
	if *simulated != "" {
		do = func() error { return simulate(ctx, *simulated, *at, o.nodes) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	debug.SetGCPercent(200) // as a server sets it
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer w.close()
	began := time.Now()
	if err := w.connect(ctx); err != nil {
		return err
	}
	fmt.Printf("%d nodes of %d VPCs, %d interfaces; connected in %.1f s\n", o.nodes, o.vpcs, o.nodes*o.tasks, time.Since(began).Seconds())
	if o.cpu != "" {
		f, err := os.Create(o.cpu)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	select { // what connecting left: garbage, and sessions that begin
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	before, noise := used(), listen(ctx)
	starts, err := w.load(ctx)
	if err != nil {
		return err
	}
	behind, err := w.wait(ctx, starts)
	if err != nil {
		return err
	}
	mine := used() - before
	if err := w.part(); err != nil {
		return err
	}
	w.report(starts, behind, mine)
	if o.memory != "" {
		if err := profile(o.memory); err != nil {
			return err
		}
	}
	p50, p99, most := noise.quantiles()
	fmt.Printf("noise: a timer of 1 ms in this process comes late by p50 %.1f ms, p99 %.1f, most %.1f\n", p50, p99, most)
	return nil
}

func profile(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// settle is how long nothing happens between the last connection and the first start.
const settle = 3 * time.Second

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// start is a task that started.
type start struct {
	vpc       int
	revision  int64
	committed time.Time
}

// report prints what became of the starts.
func (w *world) report(starts []start, behind time.Duration, cpu time.Duration) {
	var last []time.Duration
	for _, s := range starts {
		last = append(last, w.arrived(s).Sub(s.committed))
	}
	slices.Sort(last)
	at := func(q float64) float64 { return float64(last[int(q*float64(len(last)-1))].Microseconds()) / 1e3 }
	var frames, bytes int64
	for _, n := range w.nodes {
		frames += int64(len(n.got))
		bytes += n.bytes
	}
	n := float64(len(starts))
	fmt.Printf("%d starts at %.0f a second: to the last of %d nodes p50 %.1f ms, p90 %.1f, p99 %.1f, most %.1f\n",
		len(starts), w.rate, w.share(), at(0.5), at(0.9), at(0.99), at(1))
	fmt.Printf("a start: %.0f frames, %.0f bytes on the wire, %.2f ms of processor time of the server and %.2f of the nodes; the last arrived %.1f s after the load ended\n",
		float64(frames)/n, float64(bytes)/n, cpu.Seconds()*1e3/n, w.theirs.Seconds()*1e3/n, behind.Seconds())
}
