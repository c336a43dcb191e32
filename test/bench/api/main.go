// Command api measures how many signed requests a second a region answers, beside moto's server: the same client program, the same
// machine, turns interleaved (ABBA). Each arm has a cluster of 100 tasks that is read, one in which tasks are run, and a service of Cloud Map with 10
// instances that are discovered.
//
// Berth verifies each signature, reads linearizably, writes each task durably and sends it to an agent before the next turn; moto checks
// no signature and writes nothing. What the agents of berth's container instances do is left out in both: they take what they are sent
// and start nothing. A last arm sets moto against itself: a smaller difference is noise.
//
//	go run ./test/bench/api -rounds 7
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/test/bench/abba"
	"github.com/berth-ecs/berth/test/installation"
)

type options struct {
	rounds  int
	turn    time.Duration
	clients []int
	only    string
}

func main() {
	o := options{clients: []int{1, 64}}
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of ABBA, at least 7")
	flag.DurationVar(&o.turn, "turn", 250*time.Millisecond, "how long an arm runs at a time")
	flag.StringVar(&o.only, "only", "", "one operation, instead of all")
	clients := flag.Int("clients", 0, "so many at once, instead of 1 and then 64")
	alone := flag.Duration("alone", 0, "run berth alone for so long, for a profile of it")
	flag.Parse()
	o.rounds = max(o.rounds, 7)
	if *clients > 0 {
		o.clients = []int{*clients}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, *alone); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, alone time.Duration) (err error) {
	defer installation.Discard()
	region, err := installation.Open(ctx, installation.Options{Alone: true})
	if region != nil {
		defer func() { err = errors.Join(err, region.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	ours := newServer("berth", region.Endpoint)
	if err := ours.setUp(ctx, nil); err != nil {
		return err
	}
	agents, err := connect(ctx, ours)
	defer agents.close()
	if err != nil {
		return err
	}
	if err := ours.populate(ctx); err != nil {
		return err
	}
	if alone > 0 {
		return solo(ctx, o, ours, region.PID(installation.Server), alone)
	}
	moto, err := startMoto(ctx, region.BinDir)
	if err != nil {
		return err
	}
	defer moto.end()
	theirs := newServer("moto", moto.endpoint)
	if err := theirs.setUp(ctx, moto.instances); err != nil {
		return err
	}
	if err := theirs.populate(ctx); err != nil {
		return err
	}
	return compare(ctx, o, ours, theirs)
}

// the least ratio that is asked for.
const target = 10

func compare(ctx context.Context, o options, ours, theirs *server) error {
	for _, op := range operations {
		if o.only != "" && o.only != op.name {
			continue
		}
		for _, clients := range o.clients {
			arm := func(name string, s *server) *abba.Arm {
				return &abba.Arm{Name: name, Once: func(ctx context.Context) (time.Duration, error) { return turn(ctx, s, op, clients, o.turn) }}
			}
			berth, moto, again := arm("berth", ours), arm("moto", theirs), arm("moto again", theirs)
			if err := abba.Run(ctx, o.rounds, berth, moto, again); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			fmt.Printf("%s (%s), %d client(s)\n", op.name, op.what, clients)
			abba.Rates(os.Stdout, moto, berth, moto, again)
			ratio := float64(moto.Quantile(0.5)) / float64(berth.Quantile(0.5))
			fmt.Printf("  target at least %d times moto's rate: %s\n", target, map[bool]string{true: "met", false: "MISSED"}[ratio >= target])
		}
	}
	return nil
}

// solo is for whoever makes it faster: on a busy machine the time of the server's own processor tells more than the rate.
func solo(ctx context.Context, o options, s *server, pid int, d time.Duration) error {
	for _, op := range operations {
		if o.only != "" && o.only != op.name {
			continue
		}
		for _, clients := range o.clients {
			before, began := cpuOf(pid), time.Now()
			each, err := turn(ctx, s, op, clients, d)
			if err != nil {
				return err
			}
			used := time.Duration(float64(cpuOf(pid)-before) * float64(each) / float64(time.Since(began)))
			fmt.Printf("%-14s %3d client(s) %8.0f/s %8d µs of the server's processor each\n", op.name, clients, float64(time.Second)/float64(each), used.Microseconds())
		}
	}
	return nil
}

// cpuOf is the processor time a process has used.
func cpuOf(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	const ticks = 100 // a second: USER_HZ
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}
