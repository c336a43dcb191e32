package ports

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// The range dynamic host ports come from, as on ECS.
const (
	DynamicFirst = 49153
	DynamicLast  = 65535
)

// Key is one port of the host.
type Key struct {
	Proto byte
	Port  int
}

// Book knows which host ports are ours and keeps every other program off them by really holding a socket.
type Book struct {
	reserve func(Key) (io.Closer, error)

	mu     sync.Mutex
	held   map[Key]holding
	cursor int // next dynamic port to try
}

type holding struct {
	id     string
	socket io.Closer // nil when the port was adopted and somebody else has it meanwhile
}

// NewBook begins with the dynamic port at an offset; reserve keeps a port from other programs until it is closed.
func NewBook(start int, reserve func(Key) (io.Closer, error)) *Book {
	return &Book{reserve: reserve, held: map[Key]holding{}, cursor: DynamicFirst + start%(DynamicLast-DynamicFirst+1)}
}

// Take reserves what the wishes ask for, all or nothing, and returns them with their host ports filled in.
func (b *Book) Take(id string, wishes []Wish) ([]Wish, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Wish, len(wishes))
	for pass := range 2 { // static ports first, so that a dynamic one never takes what the same task asks for by number
		for i, w := range wishes {
			if (w.Host.First == 0) != (pass == 1) {
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

func (b *Book) takeOne(id string, w Wish) (Wish, error) {
	if w.Host.First != 0 {
		return w, b.hold(id, w.Proto, w.Host)
	}
	n := w.Containers.Len()
	const size = DynamicLast - DynamicFirst + 1
	for tried := 0; tried < size && n <= size; tried++ {
		if b.cursor+n-1 > DynamicLast {
			b.cursor = DynamicFirst
		}
		s := Span{b.cursor, b.cursor + n - 1}
		err := b.hold(id, w.Proto, s)
		if taken, ok := errors.AsType[*Conflict](err); ok {
			b.cursor = taken.Port + 1
			continue
		}
		b.cursor = s.Last + 1
		w.Host = s
		return w, err
	}
	return w, fmt.Errorf("network: no %d free %s ports in a row between %d and %d", n, ProtoName(w.Proto), DynamicFirst, DynamicLast)
}

func (b *Book) hold(id string, proto byte, s Span) error {
	for p := s.First; p <= s.Last; p++ {
		err := b.holdOne(id, Key{proto, p})
		if err == nil {
			continue
		}
		for q := s.First; q < p; q++ {
			b.drop(Key{proto, q})
		}
		return err
	}
	return nil
}

func (b *Book) holdOne(id string, k Key) error {
	if h, ok := b.held[k]; ok {
		return &Conflict{Port: k.Port, Protocol: ProtoName(k.Proto), Holder: h.id}
	}
	c, err := b.reserve(k)
	if errors.Is(err, unix.EADDRINUSE) {
		return &Conflict{Port: k.Port, Protocol: ProtoName(k.Proto), Err: err}
	}
	if err != nil {
		return fmt.Errorf("network: reserve host port %d/%s: %w", k.Port, ProtoName(k.Proto), err)
	}
	b.held[k] = holding{id, c}
	return nil
}

// Adopt takes over a port that is already published. The port is ours even when its socket cannot be had any more,
// because the map's element answers for it; that is returned as the error.
func (b *Book) Adopt(id string, k Key) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, err := b.reserve(k)
	if err != nil {
		c = nil
	}
	b.held[k] = holding{id, c}
	return err
}

// Free gives up everything an endpoint holds among the keys.
func (b *Book) Free(keys []Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range keys {
		b.drop(k)
	}
}

func (b *Book) giveBack(id string) {
	for k, h := range b.held {
		if h.id == id {
			b.drop(k)
		}
	}
}

func (b *Book) drop(k Key) {
	if h, ok := b.held[k]; ok && h.socket != nil {
		_ = h.socket.Close()
	}
	delete(b.held, k)
}

// Close lets go of every socket; what is published stays published.
func (b *Book) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.held {
		b.drop(k)
	}
}
