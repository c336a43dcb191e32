// Command etcd is an etcd that somebody else runs, for tests: etcd etcd --dir, --url, --cert, --key, --ca. It says "begun" when it answers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/berth-ecs/berth/store/etcd/etcdtest"
)

func main() {
	var l etcdtest.Listener
	flag.StringVar(&l.Dir, "dir", "", "data")
	flag.StringVar(&l.URL, "url", "", "where clients come")
	flag.StringVar(&l.Cert, "cert", "", "certificate")
	flag.StringVar(&l.Key, "key", "", "its key")
	flag.StringVar(&l.CA, "ca", "", "who certifies clients")
	_ = flag.CommandLine.Parse(os.Args[2:]) // it exits by itself; the first word tells what it is to who looks for processes
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := l.Run(ctx, func() { fmt.Println("begun") }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}
