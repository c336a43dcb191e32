// Command healthcheck measures the CPU that health checks cost: as the node runs them, by entering the container, beside
// containerd's exec.
//
// The arms are interleaved (ABBA) on the same containers and the same containerd; each run is one check of every container.
// What counts is all CPU of the machine that belongs to it, by the kernel's accounting of control groups: the node's part,
// containerd, shims, runc, and the checks themselves. A third arm sets containerd's exec against itself: a difference smaller
// than that is noise. It needs root.
//
//	go run ./test/bench/healthcheck -containers 100 -rounds 7
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
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/images"
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	containers := flag.Int("containers", 100, "containers, ten in a task")
	sandboxed := flag.Bool("sandboxed", false, "in gVisor sandboxes, whose checks both arms have the shim run")
	bin := flag.String("bin", "/opt/berth/bin", "directory of containerd, its shim, ctr, runc and berth-enter")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *containers, max(*rounds, 7), *sandboxed); err != nil {
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		os.Exit(1)
	}
}

// target is what the node's checks may cost of containerd's.
const target = 0.15

func run(ctx context.Context, bin string, containers, rounds int, sandboxed bool) (err error) {
	b, err := setUp(ctx, bin, containers, sandboxed)
	if b != nil {
		defer func() { err = errors.Join(err, b.tearDown(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	arms := []*abba.Arm{
		{Name: "entering the container", Once: b.arm(b.entering)},
		{Name: "containerd's exec", Once: b.arm(b.through)},
		{Name: "containerd's exec again", Once: b.arm(b.through)},
	}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	fmt.Printf("CPU of one check each of %d containers (CMD-SHELL, true):\n", containers)
	abba.Report(os.Stdout, arms[1], arms...)
	for _, a := range arms[:2] {
		// Every container every 5 s is one run in 5 s.
		fmt.Printf("%-28s %6.2f ms a check, every 5 s: %5.1f %% of a core\n", a.Name, a.Quantile(0.5).Seconds()*1000/float64(containers), 100*a.Quantile(0.5).Seconds()/5)
	}
	ratio := float64(arms[0].Quantile(0.5)) / float64(arms[1].Quantile(0.5))
	verdict := "met"
	switch {
	case sandboxed:
		return nil // the arms are one
	case ratio > target:
		verdict = "MISSED"
	}
	fmt.Printf("target: ratio at most %.2f: %s\n", target, verdict)
	return nil
}

// bench is an installation of its own with containers that wait.
type bench struct {
	entering, through *runtime.Runtime
	account           account
	dirs, containers  []string
	sandboxed         bool
}

func setUp(ctx context.Context, bin string, containers int, sandboxed bool) (*bench, error) {
	name := "b" + randomHex(3)
	b := &bench{sandboxed: sandboxed}
	var err error
	if b.account, err = open(name); err != nil {
		return nil, err
	}
	for _, parent := range []string{"/run", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, name)
		if err != nil {
			return b, err
		}
		b.dirs = append(b.dirs, dir)
	}
	c := runtime.Config{Name: name, BinDir: bin, RunDir: b.dirs[0], DataDir: b.dirs[1]}
	if b.entering, err = runtime.Open(ctx, c); err != nil {
		return b, err
	}
	c.Address, c.NoEnter = c.Socket(), true
	if b.through, err = runtime.Open(ctx, c); err != nil {
		return b, err
	}
	return b, b.fill(ctx, images.Store{Ctr: filepath.Join(bin, "ctr"), Address: c.Address, Namespace: name}, containers)
}

// fill starts the containers.
func (b *bench) fill(ctx context.Context, store images.Store, containers int) error {
	const ref = "bench.local/busybox:test"
	busybox, err := images.Busybox(v1.Config{})
	if err != nil {
		return err
	}
	if err := store.Import(ctx, ref, busybox); err != nil {
		return err
	}
	image, err := b.entering.Pull(ctx, ref, runtime.Pull{Behaviour: runtime.PullPreferCached})
	if err != nil {
		return err
	}
	task := runtime.Task{}
	for i := range containers {
		if i%10 == 0 {
			task = runtime.Task{ID: randomHex(16)}
			if b.sandboxed {
				task.Sandbox = &runtime.Sandbox{}
			}
			if err := b.entering.Prepare(ctx, task); err != nil {
				return err
			}
		}
		c := runtime.Container{
			ID: fmt.Sprintf("%s-%d", task.ID, i%10), TaskID: task.ID, Name: "c", Image: image, Command: []string{"/bin/sleep", "100000"},
		}
		if err := b.entering.Create(ctx, c); err != nil {
			return err
		}
		if _, _, err := b.entering.Start(ctx, c.ID); err != nil {
			return err
		}
		b.containers = append(b.containers, c.ID)
	}
	return nil
}

// arm checks every container once and answers the CPU it took.
func (b *bench) arm(r *runtime.Runtime) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		before, err := b.account.used()
		if err != nil {
			return 0, err
		}
		for _, id := range b.containers {
			code, out, err := r.Exec(ctx, id, []string{"/bin/sh", "-c", "true"}, 5*time.Second)
			if err != nil || code != 0 {
				return 0, fmt.Errorf("check of %s: code %d, %w: %s", id, code, err, out)
			}
		}
		after, err := b.account.used()
		return after - before, err
	}
}

func (b *bench) tearDown(ctx context.Context) error {
	var errs []error
	if b.through != nil {
		errs = append(errs, b.through.Close())
	}
	if b.entering != nil {
		errs = append(errs, b.entering.Sweep(ctx, func(string) bool { return false }), b.entering.Shutdown(ctx))
	}
	for _, dir := range b.dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(append(errs, b.account.close())...)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
