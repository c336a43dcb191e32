// Package keyed locks by name. Guarantees: holders of one name exclude each other
// as with a sync.RWMutex, different names never wait for each other, and a name
// nobody uses takes no room.
package keyed

import "sync"

// Mutex is a lock per name; its zero value is ready.
type Mutex struct {
	mu    sync.Mutex
	locks map[string]*entry
}

type entry struct {
	mu   sync.RWMutex
	uses int
}

// Lock waits until it holds name alone.
func (k *Mutex) Lock(name string) (unlock func()) {
	l := k.use(name)
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		k.leave(name, l)
	}
}

// RLock waits until it holds name with other readers.
func (k *Mutex) RLock(name string) (unlock func()) {
	l := k.use(name)
	l.mu.RLock()
	return func() {
		l.mu.RUnlock()
		k.leave(name, l)
	}
}

func (k *Mutex) use(name string) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locks == nil {
		k.locks = map[string]*entry{}
	}
	l := k.locks[name]
	if l == nil {
		l = &entry{}
		k.locks[name] = l
	}
	l.uses++
	return l
}

func (k *Mutex) leave(name string, l *entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.uses--; l.uses == 0 {
		delete(k.locks, name)
	}
}
