package snapshot

import (
	"os"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
)

// Cache remembers where the layers of a chain lie, so that the next
// container of an image need not wait for its snapshot to find out.
type Cache struct {
	mu     sync.Mutex
	chains map[string][]string
}

// Get answers only layers that are still there.
func (l *Cache) Get(chain string) ([]string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dirs, ok := l.chains[chain]
	for _, dir := range dirs {
		if _, err := os.Lstat(dir); err != nil {
			delete(l.chains, chain)
			return nil, false
		}
	}
	return dirs, ok
}

// Put notes where the layers of a chain lie.
func (l *Cache) Put(chain string, dirs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chains == nil {
		l.chains = map[string][]string{}
	}
	l.chains[chain] = dirs
}

// Dirs are the read-only directories a snapshot's mounts lie on, topmost
// first. A snapshot on nothing is a bind mount of an empty directory.
func Dirs(mounts []mount.Mount) []string {
	var out []string
	for _, m := range mounts {
		if m.Type == "bind" {
			out = append(out, m.Source)
		}
		for _, o := range m.Options {
			if lower, ok := strings.CutPrefix(o, "lowerdir="); ok {
				out = append(out, strings.Split(lower, ":")...)
			}
		}
	}
	return out
}
