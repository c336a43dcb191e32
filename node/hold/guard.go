package hold

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// guards are second reading ends of every FIFO, in the client's process, that
// nobody reads. The kernel throws away what is in a FIFO when its last end is
// closed: without them, a container that ends while hold is away would take its
// last output with it.
type guards struct {
	mu sync.Mutex
	m  map[string][]int // by directory in fifoDir
}

// add guards the FIFOs in dir; what is guarded already stays.
func (g *guards) add(dir string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := filepath.Base(dir)
	if len(g.m[key]) > 0 {
		return nil
	}
	for _, name := range []string{logfile.Stdout, logfile.Stderr} {
		// Not an os.File: the poller must not wake for it.
		fd, err := unix.Open(filepath.Join(dir, name), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if errors.Is(err, unix.ENOENT) {
			continue // a shim's log has one stream
		}
		if err != nil {
			return err
		}
		if g.m == nil {
			g.m = map[string][]int{}
		}
		g.m[key] = append(g.m[key], fd)
	}
	return nil
}

// addAll guards what an earlier process of ours left.
func (g *guards) addAll(fifoDir string) error {
	entries, err := os.ReadDir(fifoDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		errs = append(errs, g.add(filepath.Join(fifoDir, e.Name())))
	}
	return errors.Join(errs...)
}

func (g *guards) remove(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, fd := range g.m[key] {
		unix.Close(fd)
	}
	delete(g.m, key)
}

func (g *guards) removeAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, fds := range g.m {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
	clear(g.m)
}
