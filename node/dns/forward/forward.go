package forward

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-ecs/berth/node/dns/message"
)

// Config is what a Forwarder needs.
type Config struct {
	Servers  func() []netip.AddrPort // required: asked anew for each question
	Exchange Exchange                // optional: sockets of this process's namespace
	Entries  int                     // optional: of the cache; 10,000
	Bytes    int                     // optional: of the cache; 16 MiB
}

// Exchange sends a message to a server by a network, udp or tcp, and answers what accepts says is the answer.
type Exchange func(ctx context.Context, network string, server netip.AddrPort, m []byte, accepts func([]byte) bool) ([]byte, error)

// Times.
const (
	patience   = 5 * time.Second // with all servers together
	oneServer  = 1500 * time.Millisecond
	maxGood    = time.Hour
	maxNone    = 30 * time.Minute
	maxStale   = 24 * time.Hour
	failureFor = time.Second // how long a failure is remembered
)

// ErrNone says that no server answered.
var ErrNone = errors.New("forward: no server answers")

// Forwarder asks other servers. Its methods may be called from many goroutines.
type Forwarder struct {
	c       Config
	cache   *cache
	sockets *sockets
	best    atomic.Uint32 // which server answered last

	mu      sync.Mutex
	flights map[string]*flight
}

// flight is a question on its way.
type flight struct {
	done  chan struct{}
	entry *Entry
	err   error
}

// New makes a Forwarder.
func New(c Config) *Forwarder {
	own := &sockets{open: map[netip.AddrPort]struct{}{}}
	if c.Exchange == nil {
		c.Exchange = own.exchange
	}
	if c.Entries == 0 {
		c.Entries = 10_000
	}
	if c.Bytes == 0 {
		c.Bytes = 16 << 20
	}
	return &Forwarder{c: c, cache: newCache(c.Entries, c.Bytes), sockets: own, flights: map[string]*flight{}}
}

// key of a question.
func key(b []byte, q message.Asked) []byte {
	bits := byte(0)
	if q.DO {
		bits |= 1
	}
	if q.CD {
		bits |= 2
	}
	return append(append(b, q.Name...), byte(q.Type>>8), byte(q.Type), bits)
}

// Known answers what is known already, without waiting; nil for nothing.
func (f *Forwarder) Known(q message.Asked) *Entry {
	var room [260]byte
	if e, good := f.cache.get(key(room[:0], q), time.Now()); good {
		return e
	}
	return nil
}

// Ask answers what is known or asks for it. It takes no longer than about five seconds.
func (f *Forwarder) Ask(ctx context.Context, q message.Asked) (*Entry, error) {
	k := string(key(nil, q))
	f.mu.Lock()
	if e, good := f.cache.get([]byte(k), time.Now()); good {
		f.mu.Unlock()
		return e, nil
	}
	fl := f.flights[k]
	if fl == nil {
		fl = &flight{done: make(chan struct{})}
		f.flights[k] = fl
		q.Name = bytes.Clone(q.Name)
		go f.fly(context.WithoutCancel(ctx), k, q)
	}
	f.mu.Unlock()
	select {
	case <-fl.done:
		return fl.entry, fl.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fly asks, notes what was said and tells all who wait.
func (f *Forwarder) fly(ctx context.Context, k string, q message.Asked) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e, err := f.ask(ctx, q)
	now := time.Now()
	switch old, _ := f.cache.get([]byte(k), now); {
	case err == nil && e.good > 0:
		f.cache.put(k, e, now.Add(e.good))
	case err == nil:
	case old != nil && old.good > 0 && now.Sub(old.at) < old.good+maxStale:
		e, err = &Entry{answer: old.answer, at: old.at, good: old.good, stale: true}, nil
		f.cache.put(k, e, now.Add(staleTTL))
	default:
		if e = failure(q, now); e != nil {
			f.cache.put(k, e, now.Add(failureFor))
			err = nil
		}
	}
	f.mu.Lock()
	fl := f.flights[k]
	delete(f.flights, k)
	f.mu.Unlock()
	fl.entry, fl.err = e, err
	close(fl.done)
}

// failure is an entry that says that nobody knows.
func failure(q message.Asked, now time.Time) *Entry {
	raw := message.AppendQuestion(nil, 0, q, 0)
	raw[3] |= byte(message.ServerFailure)
	s, err := message.Store(raw)
	if err != nil {
		return nil
	}
	return &Entry{answer: s, at: now}
}

// ask tries servers until one says something of use.
func (f *Forwarder) ask(ctx context.Context, q message.Asked) (*Entry, error) {
	servers := f.c.Servers()
	if len(servers) == 0 {
		return nil, ErrNone
	}
	first := int(f.best.Load())
	for try := 0; ctx.Err() == nil; try++ {
		i := (first + try) % len(servers)
		e, err := f.one(ctx, servers[i], q)
		if err == nil {
			f.best.Store(uint32(i))
			return e, nil
		}
		if try%len(servers) == len(servers)-1 && !pause(ctx, try) {
			break
		}
	}
	return nil, ErrNone
}

// pause waits a little after each round, so that servers that refuse at once are not asked without end; false after three.
func pause(ctx context.Context, try int) bool {
	if try >= 6 {
		return false
	}
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// one asks one server: by UDP, and by TCP when that was cut off; without EDNS when it does not know that.
func (f *Forwarder) one(ctx context.Context, server netip.AddrPort, q message.Asked) (*Entry, error) {
	const size = 1232 // fits into every path's packets
	ctx, cancel := context.WithTimeout(ctx, oneServer)
	defer cancel()
	network, room := "udp", uint16(size)
	for range 4 {
		id := uint16(rand.Uint32()) //nolint:gosec // seeded by the system; the source port is random, too
		a := &accepted{id: id, name: q.Name, kind: q.Type}
		_, err := f.c.Exchange(ctx, network, server, message.AppendQuestion(nil, id, q, room), a.accept)
		switch {
		case err != nil:
			return nil, err
		case a.m.Truncated && network == "udp":
			network = "tcp"
		case room > 0 && a.noEDNS():
			room = 0
		default:
			return a.entry(time.Now())
		}
	}
	return nil, ErrNone
}
