package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
)

const (
	answerWithin = 8 * time.Millisecond // a request without an answer by then was not let through
	between      = time.Millisecond
)

// serve has a target answer on a port until the end.
func (w *world) serve(p place, port int) {
	var c net.PacketConn
	must(w.bench, spacetest.InPath(p.netns, func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(w.ctx, "udp4", fmt.Sprintf(":%d", port))
		return err
	}))
	w.Cleanup(func() { _ = c.Close() })
	go spacetest.AnswerPackets(c, "target")
}

// dial makes a socket of a prober: each is a flow of its own.
func (p place) dial(to string, port int) (c net.Conn, err error) {
	err = spacetest.InPath(p.netns, func() error {
		c, err = net.Dial("udp4", net.JoinHostPort(to, strconv.Itoa(port)))
		return err
	})
	return c, err
}

// ask sends a request, and says when it was answered.
func ask(c net.Conn, within time.Duration) (at time.Time, ok bool) {
	return exchange(c, []byte("?"), within)
}

func exchange(c net.Conn, request []byte, within time.Duration) (at time.Time, ok bool) {
	_ = c.SetDeadline(time.Now().Add(within))
	if _, err := c.Write(request); err != nil {
		return at, false
	}
	_, err := c.Read(make([]byte, 100))
	return time.Now(), err == nil
}

// echo is a request that an interface answers by itself, ICMP's, with its checksum.
var echo = []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}

// ping makes a socket that only what the address sends comes to.
func (p place) ping(to string) (c net.Conn, err error) {
	err = spacetest.InPath(p.netns, func() error {
		c, err = net.Dial("ip4:icmp", to)
		return err
	})
	return c, err
}

// flow has each prober ask the target on the next node, on one socket, until the end; it answers how many were sent and not answered.
func (w *world) flow() (end func() (sent, lost int64)) {
	ctx, cancel := context.WithCancel(w.ctx)
	var sent, lost atomic.Int64
	var all sync.WaitGroup
	for i, p := range w.probers {
		to := w.targets[(i+1)%len(w.targets)]
		c, err := p.dial(to.address, steady)
		must(w.bench, err)
		once(&w.served, to.netns, func() { w.serve(to, steady); w.serve(to, changing) })
		all.Go(func() {
			defer c.Close()
			for ctx.Err() == nil {
				sent.Add(1)
				if _, ok := ask(c, 2*time.Second); !ok {
					lost.Add(1)
				}
				<-time.After(5 * time.Millisecond)
			}
		})
	}
	return func() (int64, int64) { cancel(); all.Wait(); return sent.Load(), lost.Load() }
}

func once(done *map[string]bool, key string, f func()) {
	if *done == nil {
		*done = map[string]bool{}
	}
	if !(*done)[key] {
		(*done)[key] = true
		f()
	}
}

// each asks every target from a prober on another node, again and again on new sockets, until is says so, and answers the latest time it said.
func (w *world) each(until func(target int, c net.Conn) (at time.Time, done bool)) (latest time.Time) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for i, to := range w.targets {
		from := w.probers[(i+2)%len(w.probers)]
		all.Go(func() {
			for w.ctx.Err() == nil {
				c, err := from.dial(to.address, changing)
				if err != nil {
					w.Error(err)
					return
				}
				at, done := until(i, c)
				_ = c.Close()
				if done {
					mu.Lock()
					if at.After(latest) {
						latest = at
					}
					mu.Unlock()
					return
				}
				<-time.After(between)
			}
		})
	}
	all.Wait()
	return latest
}

// allow makes the rule, and answers how long it took until every target was reached.
func (w *world) allow() time.Duration {
	begun := time.Now()
	asked := make(chan struct{})
	go func() { defer close(asked); w.rule("AuthorizeSecurityGroupIngress", changing) }()
	latest := w.each(func(_ int, c net.Conn) (time.Time, bool) { return ask(c, answerWithin) })
	<-asked
	return latest.Sub(begun)
}

// quiet is for how long a target must not have been reached.
const quiet = 100 * time.Millisecond

// deny takes the rule away, and answers how long it took until no target was reached any more.
func (w *world) deny() time.Duration {
	begun := time.Now()
	last := make([]time.Time, len(w.targets))
	for i := range last {
		last[i] = begun
	}
	asked := make(chan struct{})
	go func() { defer close(asked); w.rule("RevokeSecurityGroupIngress", changing) }()
	latest := w.each(func(i int, c net.Conn) (time.Time, bool) {
		sent := time.Now()
		if _, ok := ask(c, answerWithin); ok {
			last[i] = sent
		}
		select {
		case <-asked:
			return last[i], time.Since(last[i]) > quiet
		default:
			return last[i], false
		}
	})
	return latest.Sub(begun)
}

// start runs a task, and answers how long it took until its interface answered a prober, and from then on until it answered all of them.
func (w *world) start() (up, spread time.Duration) {
	begun := time.Now()
	out, err := w.ecs.RunTask(w.ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("idle"), NetworkConfiguration: w.network(w.group)})
	must(w.bench, err)
	if len(out.Tasks) != 1 || address(out.Tasks[0]) == "" {
		w.Fatalf("RunTask: %+v", out)
	}
	to := address(out.Tasks[0])
	first, last := time.Time{}, time.Time{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, p := range w.probers {
		all.Go(func() {
			for w.ctx.Err() == nil {
				c, err := p.ping(to)
				if err != nil { // its router says that nobody has the address
					<-time.After(between)
					continue
				}
				at, ok := exchange(c, echo, answerWithin)
				_ = c.Close()
				if !ok {
					<-time.After(between)
					continue
				}
				mu.Lock()
				if first.IsZero() || at.Before(first) {
					first = at
				}
				if at.After(last) {
					last = at
				}
				mu.Unlock()
				return
			}
		})
	}
	all.Wait()
	_, err = w.ecs.StopTask(w.ctx, &ecs.StopTaskInput{Task: out.Tasks[0].TaskArn})
	must(w.bench, err)
	return first.Sub(begun), last.Sub(first)
}
