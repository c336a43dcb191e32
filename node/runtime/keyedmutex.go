package runtime

import "sync"

// keyedMutex locks by name; a name nobody uses takes no room.
type keyedMutex struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	mu   sync.RWMutex
	uses int
}

func (k *keyedMutex) lock(name string) (unlock func()) {
	l := k.use(name)
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		k.leave(name, l)
	}
}

func (k *keyedMutex) rlock(name string) (unlock func()) {
	l := k.use(name)
	l.mu.RLock()
	return func() {
		l.mu.RUnlock()
		k.leave(name, l)
	}
}

func (k *keyedMutex) use(name string) *keyedLock {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.locks == nil {
		k.locks = map[string]*keyedLock{}
	}
	l := k.locks[name]
	if l == nil {
		l = &keyedLock{}
		k.locks[name] = l
	}
	l.uses++
	return l
}

func (k *keyedMutex) leave(name string, l *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.uses--; l.uses == 0 {
		delete(k.locks, name)
	}
}
