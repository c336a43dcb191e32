package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/tables"
)

// node is what is known of a simulated one.
type node struct {
	mu    sync.Mutex
	got   []receipt
	bytes int64
}

// receipt is when a change was read that leads to a version.
type receipt struct {
	to int64
	at time.Time
}

// connect starts the nodes' process, and returns when every node has its session.
func (w *world) connect(ctx context.Context) error {
	first := w.feed.Subscribe(compile.NodeKey(home, nodeName(0)), 0) // the feed has read the store when it answers, and knows the way from here
	defer first.Close()
	if _, err := first.Next(ctx); err != nil {
		return err
	}
	err := w.update(ctx, func(tx store.Tx) {
		tables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: vpc.Home{Account: "111111111111", Region: home.Region}, ID: "sg-mark", VPC: "vpc-mark"})
	})
	if err != nil {
		return err
	}
	at, err := w.revision(ctx)
	if err != nil {
		return err
	}
	w.nodes = make([]*node, w.options.nodes)
	for n := range w.nodes {
		w.nodes[n] = &node{}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.child = exec.CommandContext(ctx, self, "-simulate", w.url, "-at", strconv.FormatInt(at, 10), "-nodes", strconv.Itoa(w.options.nodes))
	w.child.Stderr = os.Stderr
	out, err := w.child.StdoutPipe()
	if err == nil {
		w.hangUp, err = w.child.StdinPipe()
	}
	if err == nil {
		err = w.child.Start()
	}
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	w.ended = make(chan struct{})
	go w.listen(bufio.NewReaderSize(out, 1<<20), ready)
	select {
	case <-ready:
		return nil
	case <-w.ended:
		return errEnded
	}
}

// listen takes down what the nodes say until their process ends.
func (w *world) listen(from io.Reader, ready chan<- struct{}) {
	defer close(w.ended)
	for {
		var b [4 * 8]byte
		if _, err := io.ReadFull(from, b[:]); err != nil {
			return
		}
		var v [4]int64
		for i := range v {
			v[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
		m := note{v[0], v[1], v[2], v[3]}
		switch {
		case m.Node == nobody && m.At == 0:
			close(ready)
		case m.Node == nobody:
			w.theirs = time.Duration(m.At)
		default:
			w.nodes[m.Node].take(m)
		}
	}
}

func (n *node) take(m note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bytes += m.Bytes
	if m.To != 0 {
		n.got = append(n.got, receipt{m.To, time.Unix(0, m.At)})
	}
}

// part has the nodes' process end, and waits for what it says last.
func (w *world) part() error {
	if w.child == nil || w.child.Process == nil {
		return nil
	}
	_ = w.hangUp.Close() // it has ended when this fails
	<-w.ended
	return w.child.Wait()
}

// load starts tasks at the rate, each at its time whatever became of the ones before.
func (w *world) load(ctx context.Context) ([]start, error) {
	var out []start
	began := time.Now()
	gap := time.Duration(float64(time.Second) / w.rate)
	for n := 0; time.Duration(n)*gap < w.length; n++ {
		select {
		case <-time.After(time.Until(began.Add(time.Duration(n) * gap))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		v := n * 7 % w.vpcs
		if err := w.update(ctx, w.task(v, w.share()*w.tasks+n)); err != nil {
			return nil, err
		}
		committed := time.Now().Round(0) // the nodes' process has another monotonic clock
		at, err := w.revision(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, start{v, at, committed})
	}
	return out, nil
}

// wait returns when every start has arrived, and says how long that took.
func (w *world) wait(ctx context.Context, starts []start) (time.Duration, error) {
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, s := range starts {
		for w.arrived(s).IsZero() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			if time.Since(began) > 2*time.Minute {
				return 0, errEnded
			}
		}
	}
	return time.Since(began), nil
}

// arrived is when the last node of the VPC had read the start; zero when one has not.
func (w *world) arrived(s start) (last time.Time) {
	for _, n := range w.nodes[s.vpc*w.share() : (s.vpc+1)*w.share()] {
		at := n.arrived(s.revision)
		if at.IsZero() {
			return at
		}
		if at.After(last) {
			last = at
		}
	}
	return last
}

func (n *node) arrived(revision int64) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	lo, hi := 0, len(n.got)
	for lo < hi {
		if mid := (lo + hi) / 2; n.got[mid].to < revision {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(n.got) {
		return time.Time{}
	}
	return n.got[lo].at
}
