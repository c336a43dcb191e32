// Command storebench measures Update through the store beside raw transactions on the same kind of embedded etcd, in
// one run, arms interleaved, and the memory and idle CPU of a store after many writes.
//
//	storebench [-rounds 7] [-seconds 1] [-clients 1,64]     ratios (targets: 0.9 with 1 client, 0.6 with 64)
//	storebench -writes 1000000 [-settle 60]                 resident memory after that many writes, idle CPU
//
// Both arms write the same bytes below the same guard: each client owns a set of keys, reads one, and writes it back
// changed. Each arm has an etcd of its own with the same configuration, so neither pays for the other's watchers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

type options struct {
	rounds  int
	seconds float64
	clients []int
	writes  int
	settle  time.Duration
	dir     string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

func run() error {
	o, err := parse()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "storebench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.writes > 0 {
		return footprint(context.Background(), dir, o)
	}
	return throughput(context.Background(), dir, o)
}

func parse() (options, error) {
	var o options
	var clients string
	flag.IntVar(&o.rounds, "rounds", 7, "rounds; each runs every arm twice, A B B A")
	flag.Float64Var(&o.seconds, "seconds", 1, "length of one arm's turn")
	flag.StringVar(&clients, "clients", "1,64", "numbers of concurrent clients")
	flag.IntVar(&o.writes, "writes", 0, "measure memory after this many writes instead")
	flag.DurationVar(&o.settle, "settle", time.Minute, "time between the last write and the measurement of memory")
	flag.StringVar(&o.dir, "dir", "", "where to keep the data (default: the system's temporary folder)")
	flag.Parse()
	for c := range strings.SplitSeq(clients, ",") {
		n, err := strconv.Atoi(c)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-clients %q: numbers from 1, separated by commas", clients)
		}
		o.clients = append(o.clients, n)
	}
	return o, nil
}
