// Command lb measures what a load balancer's proxy costs: an application load balancer with 100 rules beside the same Envoy with the smallest
// configuration by hand for one route, and beside HAProxy and nginx; a network load balancer beside nginx's stream; and the memory of idle ones.
//
// A proxy has one processor to itself, the load and what is behind the proxies have another. What counts is the processor time of the proxy's process for
// a request, and the 99th of a hundred latencies of a closed loop. The arms are interleaved (ABBA); Envoy against itself shows the noise.
//
//	go run ./test/bench/lb -rounds 7
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

// The targets: requests for a second of processor time, and latency that is added, beside Envoy by hand; bytes beside nginx; memory.
const (
	target       = 0.9
	targetAdded  = 1.2
	targetMemory = 10 << 20
)

const pinned = "BERTH_BENCH_PINNED"

func main() {
	rounds := flag.Int("rounds", 7, "rounds of ABBA")
	requests := flag.Int("requests", 20_000, "requests of one run; a tenth of them where each makes a connection")
	connections := flag.Int("connections", 16, "connections at a time")
	flag.BoolVar(&byHost, "hosts", byHost, "half of the rules ask for hosts, too")
	flag.IntVar(&rules, "rules", rules, "rules of the load balancer")
	only := flag.String("only", "", "keep-alive, connections, tls, handshakes, stream or memory")
	flag.Parse()
	if os.Getenv(pinned) == "" {
		if err := pinSelf(); err != nil {
			fmt.Fprintln(os.Stderr, "lb:", err)
			os.Exit(1)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, *rounds, *only, load{requests: *requests, connections: *connections})
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "lb:", err)
		os.Exit(1)
	}
}

// pinSelf begins this program again on the first processor.
func pinSelf() error {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(taskset, append([]string{"taskset", "-c", "0", self}, os.Args[1:]...), append(os.Environ(), pinned+"=1"))
}

func run(ctx context.Context, rounds int, only string, l load) (err error) {
	dir, err := os.MkdirTemp("", "berth-bench-lb-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	p, err := startAll(ctx, dir)
	defer p.stop()
	if err != nil {
		return err
	}
	for _, k := range []kind{{name: "keep-alive"}, {name: "connections", fresh: true}, {name: "tls", tls: true}, {name: "handshakes", tls: true, fresh: true}} {
		if only == "" || only == k.name {
			if err := requests(ctx, rounds, p, l, k); err != nil {
				return err
			}
		}
	}
	if only == "" || only == "stream" {
		if err := streams(ctx, rounds, p); err != nil {
			return err
		}
	}
	if only == "" || only == "memory" {
		return memory(ctx, dir)
	}
	return nil
}

// requests compares the proxies at one kind of requests.
func requests(ctx context.Context, rounds int, p *proxies, l load, k kind) error {
	direct := &latencies{}
	var arms []*abba.Arm
	seen := map[string]*latencies{}
	add := func(name string, of *proxy) {
		seen[name] = &latencies{}
		arms = append(arms, &abba.Arm{Name: name, Once: func(ctx context.Context) (time.Duration, error) {
			return l.through(ctx, of, k, seen[name])
		}})
	}
	add("berth", p.berth)
	add("Envoy by hand", p.hand)
	add("Envoy again", p.again)
	add("HAProxy", p.haproxy)
	add("nginx", p.nginx)
	straight := &abba.Arm{Name: "without a proxy", Once: func(ctx context.Context) (time.Duration, error) {
		began := time.Now()
		_, err := l.to(ctx, p.backend, kind{name: k.name, fresh: k.fresh}, direct)
		return time.Since(began), err
	}}
	if err := abba.Run(ctx, rounds, append(arms, straight)...); err != nil {
		return err
	}
	fmt.Printf("%s, %d at a time: requests for a second of the proxy's processor time\n", k.name, l.connections)
	abba.Rates(os.Stdout, arms[1], arms...)
	base := direct.p99()
	for _, a := range arms {
		fmt.Printf("  %-14s p99 %6.2f ms, of which it adds %6.2f\n", a.Name, ms(seen[a.Name].p99()), ms(seen[a.Name].p99()-base))
	}
	ratio := float64(arms[1].Quantile(0.5)) / float64(arms[0].Quantile(0.5))
	added := float64(seen["berth"].p99()-base) / float64(seen["Envoy by hand"].p99()-base)
	fmt.Printf("target: at least %.2f of Envoy by hand: %.2f, %s; at most %.1f of what it adds to the p99: %.2f, %s\n\n",
		target, ratio, verdict(ratio >= target), targetAdded, added, verdict(added <= targetAdded))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}
