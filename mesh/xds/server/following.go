package server

// following is somebody who follows a node. The book's lock guards it.
type following struct {
	book  *Book
	node  Node
	ready chan struct{}
	dirty map[Key]bool // names alone: what they are is looked up when somebody takes it
}

// Follow is Source's.
func (b *Book) Follow(n Node) Following {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shelf(n)
	f := &following{book: b, node: n, ready: make(chan struct{}, 1), dirty: map[Key]bool{}}
	for k := range s.own {
		f.dirty[k] = true
	}
	for k := range s.needs {
		f.dirty[k] = true
	}
	s.followers[f] = true
	f.wake()
	return f
}

func (f *following) Ready() <-chan struct{} { return f.ready }

func (f *following) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *following) Take() Change {
	f.book.mu.Lock()
	defer f.book.mu.Unlock()
	var out Change
	s := f.book.nodes[f.node]
	if s == nil {
		return out
	}
	for k := range f.dirty {
		switch i := f.book.current(s, k); {
		case i != nil:
			out.Set = append(out.Set, i)
		case s.needs[k] > 0: // a certificate whose key does not open here may well be what another server told
			out.Held = append(out.Held, k)
		default:
			out.Gone = append(out.Gone, k)
		}
	}
	f.dirty = map[Key]bool{}
	return out
}

func (f *following) Close() {
	f.book.mu.Lock()
	defer f.book.mu.Unlock()
	if s := f.book.nodes[f.node]; s != nil {
		delete(s.followers, f)
		f.book.tidy(f.node)
	}
}
