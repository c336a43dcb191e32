package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/session"
)

// The simulated nodes are a process of their own, which reads, notes when, and acknowledges: what they cost is not the server's, and neither is
// what their memory costs its collector.

// note is what the nodes' process says to the other: a node read so many bytes, which lead to a version if they are a change's last part.
// The first is of no node and says that all are connected; the last is of none and says how much processor time they took since.
type note struct {
	Node, To, At, Bytes int64
}

const nobody = -1

// flushEvery is how late a note may be: it has its time with it.
const flushEvery = 20 * time.Millisecond

// nodes is the process: it ends when its input does.
type nodes struct {
	url string
	at  int64 // version that the nodes come with
	mu  sync.Mutex
	out *bufio.Writer
}

func simulate(ctx context.Context, url string, at int64, count int) error {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(6 << 30)
	ctx, end := context.WithCancel(ctx)
	defer end()
	s := &nodes{url: url, at: at, out: bufio.NewWriterSize(os.Stdout, 1<<20)}
	if err := s.connect(ctx, count); err != nil {
		return err
	}
	before := used()
	s.say(note{Node: nobody})
	go s.flush(ctx)
	_, err := io.Copy(io.Discard, os.Stdin)
	s.say(note{Node: nobody, At: int64(used() - before)})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		err = s.out.Flush()
	}
	return err
}

// connect opens every node's session. Nodes come as from another server, with what there is: the whole of 5,000 is not what is measured.
func (s *nodes) connect(ctx context.Context, count int) error {
	conns := make([]*websocket.Conn, count)
	group, dialing := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for n := range conns {
		group.Go(func() error {
			c, _, err := websocket.Dial(dialing, fmt.Sprintf("%s%s?node=%s&version=%d", s.url, session.NodePath, nodeName(n), s.at), //nolint:bodyclose // the library has read it
				&websocket.DialOptions{HTTPClient: http.DefaultClient})
			if err != nil {
				return err
			}
			c.SetReadLimit(-1)
			conns[n] = c
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for n, c := range conns {
		go s.follow(ctx, n, c)
	}
	return nil
}

// follow reads until the session ends.
func (s *nodes) follow(ctx context.Context, n int, c *websocket.Conn) {
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		now := time.Now()
		to, whole := version(data)
		if to == 0 {
			continue // a heartbeat
		}
		if !whole {
			s.say(note{Node: int64(n), Bytes: int64(len(data))})
			continue
		}
		s.say(note{int64(n), to, now.UnixNano(), int64(len(data))})
		ack, err := session.Encode(&session.NodeConfigurationAck{Version: to, Applied: to})
		if err != nil || c.Write(ctx, websocket.MessageText, ack) != nil {
			return
		}
	}
}

func (s *nodes) say(n note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = binary.Write(s.out, binary.LittleEndian, n) // who does not listen has ended
}

func (s *nodes) flush(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		_ = s.out.Flush()
		s.mu.Unlock()
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
