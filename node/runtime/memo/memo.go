// Package memo remembers what took time to find out.
//
// Guarantees: what was put is answered until it is dropped, or until there is too much of it: then all is forgotten, and found out
// again. Everything may be called at once.
package memo

import "sync"

// Memo remembers values by name. Its zero value is ready, and without a bound.
type Memo[T any] struct {
	Most int // optional: how many are remembered

	mu sync.Mutex
	m  map[string]T
}

// Get answers what is remembered.
func (m *Memo[T]) Get(name string) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.m[name]
	return v, ok
}

// Put remembers a value.
func (m *Memo[T]) Put(name string, value T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil || m.Most > 0 && len(m.m) >= m.Most {
		m.m = map[string]T{}
	}
	m.m[name] = value
}

// Drop forgets one.
func (m *Memo[T]) Drop(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.m, name)
}
