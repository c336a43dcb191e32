package network

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// The range dynamic host ports come from, as on ECS.
const (
	dynamicFirst = 49153
	dynamicLast  = 65535
)

type portKey struct {
	proto byte
	port  int
}

// portBook knows which host ports are ours and keeps every other program off them by really holding a socket.
type portBook struct {
	reserve func(portKey) (io.Closer, error)

	mu     sync.Mutex
	held   map[portKey]holding
	cursor int // next dynamic port to try
}

type holding struct {
	id     string
	socket io.Closer // nil when the port was adopted and somebody else has it meanwhile
}

func newPortBook(start int, reserve func(portKey) (io.Closer, error)) *portBook {
	return &portBook{reserve: reserve, held: map[portKey]holding{}, cursor: dynamicFirst + start%(dynamicLast-dynamicFirst+1)}
}

// take reserves what the wishes ask for, all or nothing, and returns them with their host ports filled in.
func (b *portBook) take(id string, wishes []wish) ([]wish, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]wish, len(wishes))
	for pass := range 2 { // static ports first, so that a dynamic one never takes what the same task asks for by number
		for i, w := range wishes {
			if (w.host.first == 0) != (pass == 1) {
				continue
			}
			var err error
			if out[i], err = b.takeOne(id, w); err != nil {
				b.giveBack(id)
				return nil, err
			}
		}
	}
	return out, nil
}

func (b *portBook) takeOne(id string, w wish) (wish, error) {
	if w.host.first != 0 {
		return w, b.hold(id, w.proto, w.host)
	}
	n := w.containers.len()
	const size = dynamicLast - dynamicFirst + 1
	for tried := 0; tried < size && n <= size; tried++ {
		if b.cursor+n-1 > dynamicLast {
			b.cursor = dynamicFirst
		}
		s := span{b.cursor, b.cursor + n - 1}
		var taken *PortConflict
		err := b.hold(id, w.proto, s)
		if errors.As(err, &taken) {
			b.cursor = taken.Port + 1
			continue
		}
		b.cursor = s.last + 1
		w.host = s
		return w, err
	}
	return w, fmt.Errorf("network: no %d free %s ports in a row between %d and %d", n, protoName(w.proto), dynamicFirst, dynamicLast)
}

func (b *portBook) hold(id string, proto byte, s span) error {
	for p := s.first; p <= s.last; p++ {
		err := b.holdOne(id, portKey{proto, p})
		if err == nil {
			continue
		}
		for q := s.first; q < p; q++ {
			b.drop(portKey{proto, q})
		}
		return err
	}
	return nil
}

func (b *portBook) holdOne(id string, k portKey) error {
	if h, ok := b.held[k]; ok {
		return &PortConflict{Port: k.port, Protocol: protoName(k.proto), Holder: h.id}
	}
	c, err := b.reserve(k)
	if errors.Is(err, unix.EADDRINUSE) {
		return &PortConflict{Port: k.port, Protocol: protoName(k.proto), Err: err}
	}
	if err != nil {
		return fmt.Errorf("network: reserve host port %d/%s: %w", k.port, protoName(k.proto), err)
	}
	b.held[k] = holding{id, c}
	return nil
}

// adopt takes over a port that is already published. The port is ours even when its socket cannot be had any more,
// because the map's element answers for it; that is returned as the error.
func (b *portBook) adopt(id string, k portKey) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, err := b.reserve(k)
	if err != nil {
		c = nil
	}
	b.held[k] = holding{id, c}
	return err
}

// free gives up everything an endpoint holds among the keys.
func (b *portBook) free(keys []portKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range keys {
		b.drop(k)
	}
}

func (b *portBook) giveBack(id string) {
	for k, h := range b.held {
		if h.id == id {
			b.drop(k)
		}
	}
}

func (b *portBook) drop(k portKey) {
	if h, ok := b.held[k]; ok && h.socket != nil {
		_ = h.socket.Close()
	}
	delete(b.held, k)
}

func (b *portBook) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.held {
		b.drop(k)
	}
}
