package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/router/overlay"
	"github.com/berth-ecs/berth/node/network/router/ready"
	"github.com/berth-ecs/berth/node/network/router/shortcut"
	"github.com/berth-ecs/berth/nodeconf"
)

// Routers are the routers of one installation on this machine. The methods may be called at once.
type Routers struct {
	cfg   Config
	lock  *os.File
	home  netns.NsHandle  // the machine's namespace
	nl    *netlink.Handle // in it
	ready ready.Board[Endpoint]
	once  sync.Once       // Close or Destroy
	lanes *shortcut.Table // nil where the kernel has none
	stop  context.CancelFunc
	kick  chan struct{}
	loops sync.WaitGroup
	dig   chan struct{} // links wait to be deleted

	digging sync.Mutex // taken before mu

	mu    sync.Mutex // held while the configuration is applied
	want  nodeconf.Config
	guard overlay.Guard // there as long as a VPC is on other nodes
	told  bool          // there was a configuration since Open
	vpcs  map[string]*vpc
}

// Open guards the machine and takes the installation's routers over. Routers and interfaces of an earlier process work on as they are
// until the first Apply. Only one process at a time can have them open.
func Open(ctx context.Context, c Config) (_ *Routers, err error) {
	if c, err = c.check(); err != nil {
		return nil, err
	}
	r := newRouters(c)
	defer func() {
		if err != nil {
			r.release()
		}
	}()
	if err = r.acquire(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{r.claimPool, r.installGuard} {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	r.lanes = shortcut.Open(r.cfg.Log)
	r.start() //nolint:contextcheck // it goes on until Close
	return r, nil
}

func (r *Routers) start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.loops.Go(func() { r.retry(ctx) })
	r.loops.Go(func() { r.digger(ctx) })
	r.loops.Go(func() { r.warden(ctx) })
}

func newRouters(c Config) *Routers {
	c.Log = c.Log.With("component", "router")
	r := &Routers{cfg: c, home: netns.None(), stop: func() {}, kick: make(chan struct{}, 1), dig: make(chan struct{}, 1), vpcs: map[string]*vpc{}}
	r.guard = overlay.Guard{Machine: r.machine(), Table: c.guardTable(), Prefix: EdgePrefix(c.Name), Bridge: c.bridge(), Dial: dialHere}
	return r
}

// acquire takes the lock that keeps a second process out, and the netlink sockets.
func (r *Routers) acquire() error {
	if err := errors.Join(os.MkdirAll(r.cfg.vpcDir(), 0o755), os.MkdirAll(r.cfg.eniDir(), 0o755)); err != nil {
		return fmt.Errorf("router: RunDir: %w", err)
	}
	var err error
	if r.lock, err = netspace.Lock(r.cfg.lockFile()); err != nil {
		return fmt.Errorf("router: another process runs the routers of installation %q: %w", r.cfg.Name, err)
	}
	if r.home, err = netns.Get(); err != nil {
		return fmt.Errorf("router: own namespace: %w", err)
	}
	if r.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("router: netlink: %w", err)
	}
	return nil
}

func (r *Routers) release() {
	for _, v := range r.vpcs {
		v.release()
	}
	r.guard.Close()
	r.lanes.Close()
	if r.nl != nil {
		r.nl.Close()
	}
	if r.home.IsOpen() {
		_ = r.home.Close()
	}
	if r.lock != nil {
		_ = r.lock.Close()
	}
}

// Close lets go of everything and changes nothing: interfaces keep working, another process may open them.
func (r *Routers) Close() error {
	r.once.Do(func() {
		r.halt()
		r.release()
	})
	return nil
}

// halt ends the loops and what is waited for.
func (r *Routers) halt() {
	r.stop()
	r.loops.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vpcs {
		v.drain()
	}
	r.ready.Close()
}

// Destroy removes every interface and router, the routes and rules of the machine, and closes r.
func (r *Routers) Destroy(ctx context.Context) (err error) {
	r.once.Do(func() {
		r.halt()
		err = r.remove(ctx)
		r.release()
	})
	return err
}

// Remove does what Destroy does for an installation that is not open, or cannot be opened: it needs nothing to be whole.
func Remove(ctx context.Context, c Config) error {
	c, err := c.check()
	if err != nil {
		return err
	}
	r := newRouters(c)
	defer r.release()
	if err := r.acquire(); err != nil {
		return err
	}
	return r.remove(ctx)
}
