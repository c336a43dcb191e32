// Command output measures what it costs to bring a container's output to disk: bytes for a second of processor time, of the shim and of
// hold together, beside containerd's own file logger, which is the shim alone.
//
// The arms are interleaved (ABBA), both end when the last byte is in the file, and the file logger runs against itself: a difference smaller
// than that is noise. It needs root.
//
//	go run ./test/bench/output -rounds 7 -mib 128
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/berth-ecs/berth/node/hold"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "hold" { // the hold of this program
		c, err := hold.ParseFlags(os.Args[2:])
		if err == nil {
			err = hold.Main(context.Background(), c)
		}
		exit(err)
	}
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	mib := flag.Int("mib", 128, "MiB that a container prints")
	bin := flag.String("bin", "/opt/berth/bin", "directory of containerd, its shim, ctr and runc")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, line := range []int{100, 1000} {
		if err := run(ctx, options{bin: *bin, rounds: max(*rounds, 7), mib: *mib, line: line}); err != nil {
			exit(err)
		}
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "output:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	bin               string
	rounds, mib, line int
}

// arm is one way of output to disk.
type arm struct {
	name  string
	once  func(context.Context) (sample, error)
	rates []float64 // MB for a second of processor time
	split []sample
}

// sample is the processor time of one run.
type sample struct{ shim, hold float64 }

func run(ctx context.Context, o options) (err error) {
	b, err := setUp(ctx, o)
	if b != nil {
		defer func() { err = errors.Join(err, b.tearDown(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	arms := []*arm{
		{name: "berth: shim and hold", once: b.held},
		{name: "containerd's file logger", once: b.filed},
		{name: "the file logger again", once: b.filed},
	}
	for _, a := range arms { // warm
		if _, err := a.once(ctx); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	back := slices.Clone(arms)
	slices.Reverse(back)
	for range o.rounds {
		for _, a := range slices.Concat(arms, back) {
			s, err := a.once(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			a.rates = append(a.rates, float64(b.bytes)/1e6/(s.shim+s.hold))
			a.split = append(a.split, s)
		}
	}
	report(o, arms)
	return nil
}

func report(o options, arms []*arm) {
	fmt.Printf("lines of %d bytes, %d MiB\n%-30s %4s %14s %9s %9s %6s\n", o.line, o.mib, "arm", "n", "MB/CPU s, p50", "shim ms", "hold ms", "ratio")
	for _, a := range arms {
		shim := median(a.split, func(s sample) float64 { return 1000 * s.shim })
		held := median(a.split, func(s sample) float64 { return 1000 * s.hold })
		fmt.Printf("%-30s %4d %14.0f %9.0f %9.0f %6.2f\n", a.name, len(a.rates), middle(a.rates), shim, held, middle(a.rates)/middle(arms[1].rates))
	}
	fmt.Println("target: the first ratio at least 0.60; the last one is the noise")
}

func median(in []sample, of func(sample) float64) float64 {
	var out []float64
	for _, s := range in {
		out = append(out, of(s))
	}
	return middle(out)
}

func middle(in []float64) float64 {
	s := slices.Sorted(slices.Values(in))
	return s[len(s)/2]
}
