// Command noisy measures what one task may do to the others: it burns processors, forks, writes to its disk and prints at full speed, and
// meanwhile another task's answers and the API's are timed.
//
// Quiet and noisy windows are interleaved (ABBA); a second quiet arm shows the noise of the machine itself. What is quoted are ratios
// of the 99th percentiles, and of the medians, to the quiet arm. It needs root.
//
//	go run ./test/bench/noisy -rounds 7 -window 2s
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/test/installation"
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of ABBA")
	window := flag.Duration("window", 2*time.Second, "how long each arm is watched in a round, twice")
	only := flag.String("only", "", "one noisy arm alone beside the quiet ones")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *window, *only); err != nil {
		fmt.Fprintln(os.Stderr, "noisy:", err)
		os.Exit(1)
	}
}

// settle gives this process, which asks and times, more weight than everything else there is, whatever the arm: what is measured is
// when an answer came, not when somebody had time to read it.
func settle(name string) (leave func(), err error) {
	cg, err := cgroup.Open("")
	if err != nil {
		return nil, err
	}
	name += "client"
	settled, err := cg.Settle(name)
	if err != nil {
		return nil, err
	}
	if !settled {
		fmt.Fprintln(os.Stderr, "noisy: the client stays in the cgroup it was started in, and waits with it")
	}
	return func() { cg.Leave(name) }, nil
}

// arm is a state of the neighbourhood: the families of the noise in it, and what was timed meanwhile.
type arm struct {
	name  string
	noise []string
	times map[string][]time.Duration
}

// What is timed, and how much its 99th percentile may grow.
var timed = []struct {
	name  string
	limit float64
}{{"another task's answer", 1.5}, {"DescribeTasks", 2}, {"RunTask", 2}}

func run(ctx context.Context, rounds int, window time.Duration, only string) (err error) {
	defer installation.Discard()
	region, err := installation.Open(ctx, installation.Options{})
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	b := &bench{Installation: region}
	if err := b.setUp(ctx); err != nil {
		return err
	}
	leave, err := settle(region.Name)
	if err != nil {
		return err
	}
	defer leave()
	arms := []*arm{
		{name: "quiet"}, {name: "quiet again"},
		{name: "burns", noise: []string{"burns"}}, {name: "forks", noise: []string{"forks"}},
		{name: "writes", noise: []string{"writes"}}, {name: "prints", noise: []string{"prints"}},
		{name: "all of it", noise: []string{"burns", "forks", "writes", "prints"}},
	}
	arms = slices.DeleteFunc(arms, func(a *arm) bool { return only != "" && a.noise != nil && a.name != only })
	back := slices.Clone(arms)
	slices.Reverse(back)
	for round := range rounds {
		for _, a := range slices.Concat(arms, back) {
			if err := b.watch(ctx, a, window); err != nil {
				return fmt.Errorf("round %d, %s: %w", round, a.name, err)
			}
		}
	}
	report(arms)
	return nil
}

func report(arms []*arm) {
	quiet := arms[0]
	for _, what := range timed {
		fmt.Printf("%s (target: p99 at most %.1f times the quiet one's)\n%-14s %6s %9s %9s %8s %8s\n", what.name, what.limit, "arm", "n", "p50 ms", "p99 ms", "p50 x", "p99 x")
		for _, a := range arms {
			p50, p99 := quantile(a.times[what.name], 0.5), quantile(a.times[what.name], 0.99)
			fmt.Printf("%-14s %6d %9.2f %9.2f %8.2f %8.2f\n", a.name, len(a.times[what.name]), p50, p99,
				p50/quantile(quiet.times[what.name], 0.5), p99/quantile(quiet.times[what.name], 0.99))
		}
	}
}

// quantile in milliseconds.
func quantile(in []time.Duration, q float64) float64 {
	if len(in) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(in))
	return float64(s[int(q*float64(len(s)-1))].Microseconds()) / 1000
}
