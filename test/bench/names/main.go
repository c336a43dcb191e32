// Command names measures the resolver of a VPC with the names of 10,000 instances, asked by dnsperf over UDP: beside CoreDNS with its file
// plugin, and while 500 instances a second come and go.
//
// Each server is a process of its own on one processor, with one processor for the Go runtime; dnsperf asks from another one. What counts is
// the processor time of the server's process for one question; of the one whose names change it is with the changes. The instances are
// eight to a service: then both give the same answers, while a file with more would answer all of them. The arms are interleaved (ABBA);
// CoreDNS against itself shows the noise. All are in a network namespace of their own, where no firewall looks at what they say (root). After that: how long answers take at half of what the resolver can do, and the memory of a
// process that has 50,000 names in 200 zones as a node has them.
//
//	go run ./test/bench/names -rounds 7
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/test/bench/abba"
)

// Targets.
const (
	beside  = 3.0  // of CoreDNS's questions for a second of processor time
	changed = 0.95 // of those without changes
	slowest = time.Millisecond
	most    = 200.0 // MB
)

func main() {
	serve := flag.String("serve", "", "be a server: names or memory")
	port := flag.Int("port", 0, "for -serve")
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	length := flag.Duration("length", 2*time.Second, "of one run")
	window := flag.Int("window", 100, "questions on their way at a time")
	only := flag.String("only", "", "rate, latency or memory; empty: all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *serve != "":
		err = server(ctx, *serve, *port)
	case os.Getenv(apart) == "":
		err = again(ctx)
	default:
		err = run(ctx, max(*rounds, 7), load{length: *length, window: *window}, *only)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
}

// apart says to a copy of this program that it is in a network namespace of its own.
const apart = "BERTH_BENCH_APART"

// again runs this program in a network namespace of its own.
func again(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `ip link set lo up && exec "$0" "$@"`, self}, os.Args[1:]...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), apart+"=1"), os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	return cmd.Run()
}

func run(ctx context.Context, rounds int, l load, only string) (err error) {
	dir, err := os.MkdirTemp("", "berth-bench-names-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if l.questions, err = questions(dir); err != nil {
		return err
	}
	if only == "" || only == "memory" {
		if err := memory(ctx); err != nil {
			return err
		}
	}
	if only == "memory" {
		return nil
	}
	peers, err := startPeers(ctx, dir)
	defer func() {
		for _, p := range peers {
			err = errors.Join(err, p.stop())
		}
	}()
	if err != nil {
		return err
	}
	if only != "latency" {
		if err := rates(ctx, rounds, l, peers); err != nil {
			return err
		}
	}
	if only != "rate" {
		for _, name := range []string{"coredns", "berth"} {
			if err := latency(ctx, l, name, peers[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

func rates(ctx context.Context, rounds int, l load, peers map[string]*peer) error {
	arm := func(name, of string, churn bool) *abba.Arm {
		return &abba.Arm{Name: name, Once: func(ctx context.Context) (time.Duration, error) { return l.ask(ctx, peers[of], churn) }}
	}
	arms := []*abba.Arm{
		arm("berth", "berth", false), arm("berth, 500 changes a second", "berth", true), arm("CoreDNS", "coredns", false), arm("CoreDNS again", "coredns", false),
	}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	fmt.Printf("questions for a second of the server's processor time, %d on their way at a time:\n", l.window)
	abba.Rates(os.Stdout, arms[2], arms...)
	median := func(i int) float64 { return float64(arms[i].Quantile(0.5)) }
	verdict("of CoreDNS's", median(2)/median(0), beside, false)
	verdict("with changes, of those without", median(0)/median(1), changed, false)
	return nil
}

// verdict says whether a figure is what it should be: at least the target, or at most.
func verdict(what string, got, target float64, atMost bool) {
	word, ok := "at least", got >= target
	if atMost {
		word, ok = "at most", got <= target
	}
	said := "met"
	if !ok {
		said = "MISSED"
	}
	fmt.Printf("%s: %.2f, target %s %.2f: %s\n", what, got, word, target, said)
}

// latency is how long answers take at half of the rate that a server has by itself.
func latency(ctx context.Context, l load, name string, p *peer) error {
	full, err := l.run(ctx, p, 0)
	if err != nil {
		return err
	}
	half := l
	half.length *= 3
	got, err := half.run(ctx, p, int(full.rate/2))
	if err != nil {
		return err
	}
	fmt.Printf("%s at %.0f questions a second, half of %.0f: p50 %v, p99 %v, p99.9 %v, slowest %v, lost %d of %d\n", name, got.rate, full.rate, got.quantile(0.5), got.quantile(0.99),
		got.quantile(0.999), got.quantile(1), got.lost, len(got.times)+got.lost)
	if name != "berth" {
		return nil
	}
	verdict("p99 in ms", float64(got.quantile(0.99))/float64(time.Millisecond), float64(slowest)/float64(time.Millisecond), true)
	return nil
}
