package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/compile"
	"github.com/berth-ecs/berth/vpc/tables"
)

// node is a simulated one: it reads, notes and acknowledges.
type node struct {
	conn *websocket.Conn

	mu    sync.Mutex
	got   []receipt
	bytes int64
}

// receipt is when a change was read that leads to a version.
type receipt struct {
	to int64
	at time.Time
}

// connect opens every node's session. Nodes come as from another server, with what there is: the whole of 5,000 is not what is measured.
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
	group, dialing := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for n := range w.nodes {
		group.Go(func() error {
			c, _, err := websocket.Dial(dialing, fmt.Sprintf("%s%s?node=%s&version=%d", w.url, session.NodePath, nodeName(n), at), //nolint:bodyclose // the library has read it
				&websocket.DialOptions{HTTPClient: http.DefaultClient})
			if err != nil {
				return err
			}
			c.SetReadLimit(-1)
			w.nodes[n] = &node{conn: c}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, n := range w.nodes {
		go n.follow(ctx)
	}
	return nil
}

// follow reads until the session ends.
func (n *node) follow(ctx context.Context) {
	for {
		_, data, err := n.conn.Read(ctx)
		if err != nil {
			return
		}
		now := time.Now()
		to, whole := version(data)
		if to == 0 {
			continue // a heartbeat
		}
		n.mu.Lock()
		n.bytes += int64(len(data))
		if whole {
			n.got = append(n.got, receipt{to, now})
		}
		n.mu.Unlock()
		if !whole {
			continue
		}
		ack, err := session.Encode(&session.NodeConfigurationAck{Version: to, Applied: to})
		if err != nil || n.conn.Write(ctx, websocket.MessageText, ack) != nil {
			return
		}
	}
}

// version is where a change leads, 0 when the frame is none, and whether this is its last part. Simulated nodes do not pay for more.
func version(frame []byte) (to int64, whole bool) {
	_, rest, ok := bytes.Cut(frame, []byte(`"To":`))
	if !ok {
		return 0, false
	}
	digits, _, _ := bytes.Cut(rest, []byte(","))
	to, _ = strconv.ParseInt(string(digits), 10, 64)
	return to, !bytes.HasSuffix(frame, []byte(`"more":true}}`))
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
		committed := time.Now()
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
