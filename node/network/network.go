package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/node/network/netspace"
	"github.com/berth-ecs/berth/node/network/ports"
)

// Config says whose network this is. Every kernel name derives from Name.
type Config struct {
	Name   string       // required: the installation, at most 8 lower-case letters, digits or dashes
	RunDir string       // required: mounts go to RunDir/netns
	Subnet netip.Prefix // optional: default 172.28.0.0/16
	Warm   int          // optional: namespaces kept ready for the next tasks; default 4, negative for none
	Log    *slog.Logger // optional
}

const defaultWarm = 4

// Network is the bridge of one installation and the endpoints on it. Its methods may be called at once.
type Network struct {
	cfg    Config
	log    *slog.Logger
	lock   *os.File
	nl     *netlink.Handle
	rules  *ruleset
	tx     transactor
	book   *ports.Book
	bridge int // link index
	warm   chan *slot
	stop   context.CancelFunc
	once   sync.Once // Close or Destroy
	filler sync.WaitGroup
	ids    keyed

	mu     sync.Mutex
	addrs  *addressPool
	links  map[string]bool // names of host ends that are being made, ready or in use
	serial uint32
	known  map[string]*attachment
}

// attachment is an endpoint and what it takes to remove it.
type attachment struct {
	Endpoint
	port  port
	elems []ports.Mapping
}

// Open makes what is missing of the installation's network, adopts what an earlier process made, and removes what that
// process left half done. Only one process at a time can have it open.
func Open(ctx context.Context, c Config) (_ *Network, err error) {
	if c, err = c.check(); err != nil {
		return nil, err
	}
	n := newNetwork(c)
	defer func() {
		if err != nil {
			n.release()
		}
	}()
	if err = n.acquire(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{n.ensureBridge, n.rules.install, n.adopt, n.ensureMetadata} {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	n.warnOfDrops()
	n.fill() //nolint:contextcheck // it goes on until Close
	return n, nil
}

// warnOfDrops: another program's firewall is no reason to refuse, host mode works in spite of it.
func (n *Network) warnOfDrops() {
	drops, err := ForwardDrops(n.cfg.Name)
	n.logFailure("look for firewalls that drop forwarded packets", err)
	for _, d := range drops {
		if !d.Open {
			n.log.Warn("another program's firewall cuts off tasks in bridge mode", "rule", d.String(), "fix", d.Fix(n.cfg.Name))
		}
	}
}

func newNetwork(c Config) *Network {
	log := c.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Network{
		cfg: c, log: log.With("component", "network"), rules: newRuleset(c),
		book:  ports.NewBook(rand.IntN(ports.DynamicLast-ports.DynamicFirst), ports.Bind), //nolint:gosec // where to begin, no secret
		addrs: newAddressPool(c.Subnet, rand.Uint32()), serial: rand.Uint32(),             //nolint:gosec // the same
		links: map[string]bool{}, known: map[string]*attachment{},
	}
}

// acquire takes the lock that keeps a second process out, and the netlink sockets.
func (n *Network) acquire() error {
	if err := os.MkdirAll(n.cfg.netnsDir(), 0o755); err != nil {
		return fmt.Errorf("network: RunDir: %w", err)
	}
	var err error
	if n.lock, err = netspace.Lock(n.cfg.lockFile()); err != nil {
		return fmt.Errorf("network: another process runs the network of installation %q: %w", n.cfg.Name, err)
	}
	if n.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER); err != nil {
		return fmt.Errorf("network: netlink: %w", err)
	}
	return nil
}

func (n *Network) release() {
	n.book.Close()
	if n.nl != nil {
		n.nl.Close()
	}
	if n.lock != nil {
		_ = n.lock.Close()
	}
}

// Close lets go of everything and changes nothing: endpoints keep working, another process may open them.
func (n *Network) Close() error {
	n.once.Do(func() {
		n.drain()
		n.release()
	})
	return nil
}

// Destroy removes every endpoint, the bridge, the rules and the metadata namespace, and closes n.
func (n *Network) Destroy(ctx context.Context) (err error) {
	n.once.Do(func() {
		n.drain()
		err = n.remove(ctx)
		n.release()
	})
	return err
}

// Remove does what Destroy does for an installation that is not open, or cannot be opened: it needs nothing to be whole.
func Remove(ctx context.Context, c Config) error {
	c, err := c.check()
	if err != nil {
		return err
	}
	n := newNetwork(c)
	defer n.release()
	if err := n.acquire(); err != nil {
		return err
	}
	return n.remove(ctx)
}

// remove takes the endpoints first, so that nothing is published that does not answer, and looks for namespaces by their
// mounts alone: links and rules may be gone already.
func (n *Network) remove(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := n.rules.uninstall()
	entries, e := os.ReadDir(n.cfg.netnsDir())
	if e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("network: %w", e))
	}
	for _, entry := range entries {
		if idRule.MatchString(entry.Name()) {
			err = errors.Join(err, netspace.Unmount(n.cfg.netns(entry.Name())))
		}
	}
	err = errors.Join(err, netspace.Unmount(n.cfg.metadataNetns()), n.removeLinks(), CloseDoors(n.cfg.Name))
	if e := os.Remove(n.cfg.lockFile()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("network: %w", e))
	}
	_ = os.Remove(n.cfg.netnsDir()) // only when nothing else is in it
	return err
}

// removeLinks takes away the bridge, its ports and the metadata namespace's link.
func (n *Network) removeLinks() error {
	var errs error
	ports, err := n.ports()
	errs = errors.Join(errs, err)
	for _, p := range ports {
		errs = errors.Join(errs, n.deleteLink(p))
	}
	for _, name := range []string{n.cfg.metadataLink(), n.cfg.bridge()} {
		link, err := n.nl.LinkByName(name)
		if err == nil {
			err = n.nl.LinkDel(link)
		}
		if err != nil && !isAbsent(err) {
			errs = errors.Join(errs, fmt.Errorf("network: delete link %s: %w", name, err))
		}
	}
	return errs
}

// IsEndpoint tells whether an address on the bridge is, or is about to be, an endpoint's.
func (n *Network) IsEndpoint(a netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs.used[a]
}

func (n *Network) takeAddress() (netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs.take(time.Now())
}

// claimLink picks a name that none of our links has.
func (n *Network) claimLink() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		n.serial++
		if name := n.cfg.portLink(n.serial); !n.links[name] {
			n.links[name] = true
			return name
		}
	}
}

func (n *Network) logFailure(what string, err error) {
	if err != nil {
		n.log.Warn("not done", "what", what, "error", err)
	}
}
