// Command dns measures how many questions about names of interfaces the resolver of a VPC answers for a second of processor time, beside
// CoreDNS with its file plugin and beside the plain server of miekg/dns with a map.
//
// Each server is a process of its own on one processor, with one processor for the Go runtime; this process asks from another one, by
// sockets on the loopback, a bounded number of questions at a time. Each server has the same thousand names. What counts is the processor
// time of the server's process. The arms are interleaved (ABBA); CoreDNS against itself shows the noise.
//
//	go run ./test/bench/dns -rounds 7
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/berth-ecs/berth/test/bench/abba"
)

// target is what the resolver should answer beside CoreDNS.
const target = 2.0

func main() {
	serve := flag.String("serve", "", "be a server: berth or plain, at a port of the loopback")
	port := flag.Int("port", 0, "for -serve")
	rounds := flag.Int("rounds", 7, "rounds of ABBA, at least 7")
	questions := flag.Int("questions", 100_000, "questions of one run")
	window := flag.Int("window", 128, "questions on their way at a time, of four sockets together")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *serve != "" {
		err = server(ctx, *serve, *port)
	} else {
		err = run(ctx, max(*rounds, 7), load{questions: *questions, window: *window})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "dns:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, l load) (err error) {
	dir, err := os.MkdirTemp("", "berth-bench-dns-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	peers, err := startPeers(ctx, dir)
	defer func() {
		for _, p := range peers {
			err = errors.Join(err, p.stop())
		}
	}()
	if err != nil {
		return err
	}
	if err := pin(1); err != nil {
		return err
	}
	arm := func(name, of string) *abba.Arm {
		return &abba.Arm{Name: name, Once: func(ctx context.Context) (time.Duration, error) { return l.ask(ctx, peers[of]) }}
	}
	arms := []*abba.Arm{arm("berth", "berth"), arm("CoreDNS", "coredns"), arm("CoreDNS again", "coredns"), arm("plain server", "plain")}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	fmt.Printf("questions for a second of the server's processor time, %d on their way at a time:\n", l.window)
	abba.Rates(os.Stdout, arms[1], arms...)
	ratio := float64(arms[1].Quantile(0.5)) / float64(arms[0].Quantile(0.5))
	verdict := "met"
	if ratio < target {
		verdict = "MISSED"
	}
	fmt.Printf("target: at least %.1f of CoreDNS: %s\n", target, verdict)
	return nil
}
