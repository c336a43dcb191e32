// Command start measures the time from asking for a container to its first
// instruction: the runtime's Create and Start beside `ctr run -d` on the same
// containerd, host network, image present.
//
// The arms are interleaved (ABBA), both end at the same event (a datagram the
// program sends first of all), and a third arm sets ctr against itself: a
// difference smaller than that is noise. It needs root.
//
//	go run ./test/bench/start -rounds 9
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/test/images"
)

func main() {
	rounds := flag.Int("rounds", 9, "rounds of ABBA, at least 7")
	bin := flag.String("bin", "/opt/berth/bin", "directory of containerd, its shim, ctr and runc")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, max(*rounds, 7)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, rounds int) (err error) {
	b, err := setUp(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.tearDown(context.WithoutCancel(ctx))) }()
	arms := []*arm{
		{name: "Create+Start, task prepared", once: b.prepared},
		{name: "Prepare+Create+Start", once: b.unprepared},
		{name: "ctr run -d", once: b.ctr},
		{name: "ctr run -d again", once: b.ctr},
	}
	for _, a := range arms { // warm
		if _, err := a.once(ctx); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	for range rounds {
		for _, a := range append(slices.Clone(arms), reversed(arms)...) {
			d, err := a.once(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			a.times = append(a.times, d)
		}
	}
	report(arms)
	return nil
}

type arm struct {
	name  string
	once  func(context.Context) (time.Duration, error)
	times []time.Duration
}

func reversed(a []*arm) []*arm {
	r := slices.Clone(a)
	slices.Reverse(r)
	return r
}

func (a *arm) quantile(q float64) time.Duration {
	s := slices.Sorted(slices.Values(a.times))
	return s[int(q*float64(len(s)-1))]
}

func report(arms []*arm) {
	peer := arms[2]
	fmt.Printf("%-30s %4s %9s %9s %6s\n", "arm", "n", "p50 ms", "p90 ms", "ratio")
	for _, a := range arms {
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		fmt.Printf("%-30s %4d %9.1f %9.1f %6.2f\n", a.name, len(a.times), ms(a.quantile(0.5)), ms(a.quantile(0.9)),
			float64(a.quantile(0.5))/float64(peer.quantile(0.5)))
	}
	fmt.Println("target: the first ratio at most 1.00, aim 0.70; the last one is the noise")
}

// bench is an installation of its own and a socket the containers report to.
type bench struct {
	rt        *runtime.Runtime
	store     images.Store
	image     runtime.Image
	dirs      []string
	listener  *listener
	container int
}

func setUp(ctx context.Context, bin string) (*bench, error) {
	name := "b" + randomHex(3)
	b := &bench{}
	for _, parent := range []string{"/run", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, name)
		if err != nil {
			return nil, err
		}
		b.dirs = append(b.dirs, dir)
	}
	var err error
	if b.listener, err = listen(name); err != nil {
		return nil, err
	}
	b.rt, err = runtime.Open(ctx, runtime.Config{Name: name, BinDir: bin, RunDir: b.dirs[0], DataDir: b.dirs[1]})
	if err != nil {
		return nil, err
	}
	b.store = images.Store{Ctr: filepath.Join(bin, "ctr"), Address: filepath.Join(b.dirs[0], "containerd.sock"), Namespace: name}
	return b, b.load(ctx)
}

// load builds the program and pulls its image.
func (b *bench) load(ctx context.Context) error {
	binary, err := images.Compile(ctx, b.dirs[1], "first", program, "")
	if err != nil {
		return err
	}
	spec, err := images.Program(binary, v1.Config{Entrypoint: []string{"/first", b.listener.name}})
	if err != nil {
		return err
	}
	const ref = "bench.local/first:test"
	if err := b.store.Import(ctx, ref, spec); err != nil {
		return err
	}
	b.image, err = b.rt.Pull(ctx, ref, runtime.Pull{Behaviour: runtime.PullPreferCached})
	return err
}

func (b *bench) tearDown(ctx context.Context) error {
	errs := []error{b.rt.Sweep(ctx, func(string) bool { return false }), b.rt.Shutdown(ctx), b.listener.close()}
	for _, dir := range b.dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
