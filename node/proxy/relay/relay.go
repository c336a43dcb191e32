package relay

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/proxy/envoy"
	"github.com/berth-ecs/berth/node/proxy/probe"
)

// Spaces knows the networks of interfaces.
type Spaces interface {
	Path(id string) string // where one is mounted, if it is
	// Inode tells one from another that is at the same place later; 0: it is not there.
	Inode(id string) uint64
}

// Config is what a Relay needs.
type Config struct {
	DataDir, RunDir string                                      // required: its own
	LogDir          string                                      // required: of access logs
	Socket          string                                      // required: where Envoy asks
	Spaces          Spaces                                      // required
	Dial            probe.Dialer                                // required: to targets
	Stream          func(ctx context.Context) (net.Conn, error) // required: to a server
	Want            func(bool)                                  // required: whether there is something for an Envoy to do
	Admin           *envoy.Admin                                // required
	Pid             func() int                                  // required: Envoy's, 0 while none runs
	Log             *slog.Logger                                // required
}

// Relay is a node's.
type Relay struct {
	c      Config
	store  *store
	prober *probe.Prober
	bell   chan struct{} // something may be told otherwise
	news   chan struct{} // something is to be reported
	back   chan struct{} // there may be a server again
	spoken chan struct{} // closed when Envoy has said which listeners it has
	speak  sync.Once

	mu      sync.Mutex
	read    map[Key]read
	view    *view
	made    map[string]made // of view, by the names of endpoints
	health  map[probe.Key]probe.Health
	spaces  map[string]uint64 // inodes as they are told to Envoy; 0: not
	now     map[string]uint64 // the same, of one look
	changed chan struct{}     // closed when view has changed
	told    map[Key]*item     // what Envoy has acknowledged last
	refused map[Key]refusal
	errs    map[partType]string
	envoy   int // its connections
	absent  int // looks in a row without one
	drained map[probe.Key]bool
	idle    map[probe.Key]int  // how often in a row nothing was in flight
	fell    map[probe.Key]bool // targets that became unhealthy, and whose connections are not looked for yet
	ends    map[ending]int     // connections that are to end, and how often they are still looked for
}

// refusal is a version that Envoy refused, and what it had before.
type refusal struct {
	version string
	before  *item
}

type partType struct{ part, of string }

// Open reads what was kept. Nothing happens before Run.
func Open(c Config) (*Relay, error) {
	s, err := openStore(shelf{filepath.Join(c.DataDir, "resources"), filepath.Join(c.RunDir, "secrets")}, c.Log)
	if err != nil {
		return nil, err
	}
	return &Relay{
		c: c, store: s, bell: make(chan struct{}, 1), news: make(chan struct{}, 1), back: make(chan struct{}, 1), spoken: make(chan struct{}), read: map[Key]read{}, view: &view{}, spaces: map[string]uint64{},
		changed: make(chan struct{}), told: map[Key]*item{}, refused: map[Key]refusal{}, errs: map[partType]string{}, drained: map[probe.Key]bool{},
		idle: map[probe.Key]int{}, fell: map[probe.Key]bool{}, ends: map[ending]int{}, health: loadHealth(c),
	}, nil
}

// Look says that networks of interfaces may have come or gone, as a server has it.
func (r *Relay) Look() {
	ring(r.bell)
	ring(r.back)
}

// lookEvery finds what nobody said: an interface that came or went.
const lookEvery = time.Second

// Run relays until ctx ends. Envoy goes on then with what it has.
func (r *Relay) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	r.prober = probe.New(ctx, func(ctx context.Context, t probe.Target) probe.Outcome { return probe.Check(ctx, r.c.Dial, t) }, r.learn)
	r.refresh() //nolint:contextcheck // looks at targets end with the prober's context, which is Run's
	group.Go(func() error { return r.store.keep(ctx) })
	group.Go(func() error { return r.serve(ctx) })
	group.Go(func() error { return r.follow(ctx) })
	group.Go(func() error { return r.drain(ctx) })
	group.Go(func() error { return r.rotate(ctx) })
	group.Go(func() error {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-r.bell:
				r.refresh() //nolint:contextcheck // looks at targets end with the prober's context, which is Run's
			case <-tick.C:
				r.missed()
				if r.moved() {
					r.refresh() //nolint:contextcheck // looks at targets end with the prober's context, which is Run's
				}
			case <-ctx.Done():
				return nil
			}
		}
	})
	err := group.Wait()
	r.prober.Wait()
	return err
}

// learn takes what a look at a target found.
func (r *Relay) learn(k probe.Key, h probe.Health) {
	r.mu.Lock()
	r.learned(k, h)
	r.mu.Unlock()
	ring(r.bell)
}

func (r *Relay) learned(k probe.Key, h probe.Health) {
	if h.State == probe.Unhealthy && r.health[k].State != probe.Unhealthy {
		r.fell[k] = true
	}
	r.health[k] = h
}

func (r *Relay) envoys(more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.envoy += more
}

// missed looks whether there is an Envoy. One that does not come back serves nothing.
func (r *Relay) missed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.absent++; r.envoy > 0 {
		r.absent = 0
	}
	if r.absent == int(patience/lookEvery) && len(r.told) > 0 {
		clear(r.told)
		ring(r.news)
	}
}

// moved: the networks are not those that Envoy was told of.
func (r *Relay) moved() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, was := range r.spaces {
		if r.c.Spaces.Inode(id) != was {
			return true
		}
	}
	return false
}

// inode tells which network an interface has, the same for all of one look; 0: it is not there.
func (r *Relay) inode(id string) uint64 {
	if is, looked := r.now[id]; looked {
		return is
	}
	is := r.c.Spaces.Inode(id)
	r.spaces[id], r.now[id] = is, is
	return is
}

// spacePath is where Envoy finds the network of an interface. It has another name when it is another network: under the same one, Envoy would go on with the sockets that it has.
func (r *Relay) spacePath(id string) string {
	is := r.inode(id)
	if is == 0 {
		return r.c.Spaces.Path(id)
	}
	link := filepath.Join(r.c.RunDir, "spaces", id+"."+strconv.FormatUint(is, 10))
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Symlink(r.c.Spaces.Path(id), link)); err != nil && !errors.Is(err, fs.ErrExist) {
		r.c.Log.Warn("the network of an interface has no name for the proxy", "interface", id, "error", err)
	}
	return link
}

// sweepSpaces removes the names of networks that are not there any more.
func (r *Relay) sweepSpaces() {
	links, _ := os.ReadDir(filepath.Join(r.c.RunDir, "spaces")) // there may be none
	for _, l := range links {
		id, inode, _ := strings.Cut(l.Name(), ".")
		if strconv.FormatUint(r.spaces[id], 10) != inode {
			_ = os.Remove(filepath.Join(r.c.RunDir, "spaces", l.Name())) // or by the next look
		}
	}
}

// refresh makes what Envoy is told, what is looked at and what is reported follow what is known.
func (r *Relay) refresh() {
	all := r.store.snapshot()
	r.mu.Lock()
	r.now = map[string]uint64{}
	before := r.view
	r.view = r.see(all)
	r.end(before, r.view)
	r.fall()
	for id := range r.spaces {
		if _, named := r.now[id]; !named {
			delete(r.spaces, id)
		}
	}
	for k := range r.refused {
		if r.read[k].item.version != r.refused[k].version {
			delete(r.refused, k)
		}
	}
	for pt := range r.errs {
		if !r.refuses(pt) {
			delete(r.errs, pt)
		}
	}
	r.sweepSpaces()
	if !sameItems(before.items, r.view.items) {
		close(r.changed)
		r.changed = make(chan struct{})
	}
	something := false
	for k := range r.view.items {
		something = something || k.Type == seam.TypeListener
	}
	nothing := len(r.view.parts) == 0 // else interfaces may come
	want := r.targets()
	known := maps.Clone(r.health)
	r.mu.Unlock()
	if something || nothing {
		r.c.Want(something)
	}
	r.prober.Set(want, known)
	r.remember(want)
	ring(r.news)
}

func sameItems(a, b map[Key]*item) bool {
	return maps.EqualFunc(a, b, func(x, y *item) bool { return x.version == y.version && x.part == y.part })
}

// targets are those that are looked at.
func (r *Relay) targets() map[probe.Key]probe.Target {
	out := map[probe.Key]probe.Target{}
	for _, c := range r.view.clusters {
		if c.extra.Check == nil {
			continue
		}
		space := c.extra.Space
		if space != "" {
			space = r.c.Spaces.Path(space)
		}
		for a, draining := range hosts(r.view.sets[c.extra.Endpoints]) {
			if k := healthKey(c.extra, a); !draining {
				out[k] = probe.Target{Key: k, Space: space, Check: *c.extra.Check}
			}
		}
	}
	return out
}

// remember keeps what is known of targets that are looked at, and forgets the others.
func (r *Relay) remember(want map[probe.Key]probe.Target) {
	r.mu.Lock()
	for k := range r.health {
		if _, ok := want[k]; !ok {
			delete(r.health, k)
		}
	}
	for k := range want {
		if h, ok := r.prober.Of(k); ok {
			r.health[k] = h
		}
	}
	known := maps.Clone(r.health)
	r.mu.Unlock()
	saveHealth(r.c, known) // which takes a while where there are many, and Envoy need not wait
}

func healthKey(e seam.Extra, a netip.AddrPort) probe.Key {
	return probe.Key{Part: e.Part, Endpoints: e.Endpoints, Addr: a}
}

// serve answers Envoy at its socket, which is made anew: nobody else serves it.
func (r *Relay) serve(ctx context.Context) error {
	if err := os.Remove(r.c.Socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", r.c.Socket)
	if err != nil {
		return err
	}
	if err := os.Chmod(r.c.Socket, 0o600); err != nil {
		return err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the next process makes it anew, and may have already
	return r.answer(ctx, l)
}
