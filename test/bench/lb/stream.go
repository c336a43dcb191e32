package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/berth-ecs/berth/test/bench/abba"
)

// chunk is what counts as one in the rates of streams.
const chunk = 1 << 20

// megabytes are those of one run of streams, of four connections together.
const megabytes = 256

// streams compares how many megabytes pass for a second of processor time.
func streams(ctx context.Context, rounds int, p *proxies) error {
	arm := func(name string, of *proxy) *abba.Arm {
		return &abba.Arm{Name: name, Once: func(ctx context.Context) (time.Duration, error) { return push(ctx, of) }}
	}
	arms := []*abba.Arm{arm("berth", p.berth), arm("nginx", p.nginx), arm("nginx again", p.nginx), arm("Envoy by hand", p.hand), arm("HAProxy", p.haproxy)}
	if err := abba.Run(ctx, rounds, arms...); err != nil {
		return err
	}
	fmt.Println("streams of TCP, four at a time: megabytes for a second of the proxy's processor time")
	abba.Rates(os.Stdout, arms[1], arms...)
	ratio := float64(arms[1].Quantile(0.5)) / float64(arms[0].Quantile(0.5))
	fmt.Printf("target: at least %.2f of nginx: %.2f, %s\n\n", target, ratio, verdict(ratio >= target))
	return nil
}

// push sends a run's bytes through a proxy, and answers its processor time for one chunk.
func push(ctx context.Context, p *proxy) (time.Duration, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	var run sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		run.Go(func() { errs[i] = pour(ctx, p.stream, megabytes/len(errs)) })
	}
	run.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return (after - before) / megabytes, err
}

// pour sends megabytes, and waits until they have all arrived: who drains says so.
func pour(ctx context.Context, port uint16, n int) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, chunk)
	for range n {
		if _, err := c.Write(b); err != nil {
			return err
		}
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err == nil && string(got) != strconv.Itoa(n*chunk) {
		err = fmt.Errorf("%s bytes arrived of %d", got, n*chunk)
	}
	return err
}

// drain reads all of each connection and answers how much that was.
func drain(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, chunk)
			sum := 0
			for {
				n, err := c.Read(b)
				sum += n
				if err != nil {
					break
				}
			}
			_, _ = fmt.Fprint(c, sum)
		}()
	}
}
