package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/berth-ecs/berth/node/network/netspace"
)

// Interface is a task's network interface, as the sandbox's network stack is to have it.
type Interface struct {
	Netns     string   // required: path of the namespace that it lies in
	Device    *os.File // required: a packet socket on it, in a fanout group; it is closed in any case
	Name      string   // required
	MAC       string   // required
	MTU       int      // required
	Addresses []netip.Prefix
	Gateway   netip.Addr // optional
}

// ErrHalfConnected says that somebody began to connect a sandbox and nobody knows how far they came. No container has run in it: it is to be
// made anew.
var ErrHalfConnected = errors.New("the sandbox was connected half")

// Close gives the interface up; nil is fine.
func (i *Interface) Close() {
	if i != nil && i.Device != nil {
		_ = i.Device.Close() // nothing was written
	}
}

// The files that say how far Connect came.
const (
	connecting = "connecting"
	connected  = "connected"
)

// Connected says whether a task's sandbox has its network.
func (c Config) Connected(task string) bool { return c.noted(task, connected) }

// HalfConnected says that nobody knows.
func (c Config) HalfConnected(task string) bool { return c.noted(task, connecting) }

func (c Config) noted(task, what string) bool {
	_, err := os.Lstat(filepath.Join(c.Path(task), what))
	return err == nil
}

// Disconnect forgets it, for a sandbox that is made anew.
func (c Config) Disconnect(task string) error {
	for _, what := range []string{connecting, connected} {
		if err := os.Remove(filepath.Join(c.Path(task), what)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Connect gives the sandbox of a task its network, loopback included, and its name. Without an interface there is only loopback.
func (c Config) Connect(ctx context.Context, task, hostname string, i *Interface) error {
	defer i.Close() // the sandbox has a copy
	switch {
	case c.Connected(task):
		return nil
	case c.HalfConnected(task):
		return ErrHalfConnected
	}
	args, err := linksOf(i)
	if err != nil {
		return err
	}
	note := filepath.Join(c.Path(task), connecting)
	if err := os.WriteFile(note, []byte(i.netns()), 0o600); err != nil {
		return err
	}
	control, err := c.dial(ctx, task)
	if err != nil {
		return fmt.Errorf("control socket of the sandbox: %w", err)
	}
	defer func() { _ = control.Close() }() // every call was answered
	if err := control.call("Network.CreateLinksAndRoutes", args, i.device()...); err != nil {
		return fmt.Errorf("network of the sandbox: %w", err)
	}
	if err := control.setName(c.First(task), hostname); err != nil {
		return fmt.Errorf("name of the sandbox: %w", err)
	}
	return os.Rename(note, filepath.Join(c.Path(task), connected))
}

// Counters are those of the links of a task's sandbox, as /proc/net/dev says them; nothing without an interface.
func (c Config) Counters(task string) (text []byte, err error) {
	path, err := os.ReadFile(filepath.Join(c.Path(task), connected))
	if err != nil || len(path) == 0 {
		return nil, err
	}
	err = netspace.InsideAt(string(path), func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/dev")
		return err
	})
	return text, err
}

func (i *Interface) netns() string {
	if i == nil {
		return ""
	}
	return i.Netns
}

func (i *Interface) device() []*os.File {
	if i == nil {
		return nil
	}
	return []*os.File{i.Device}
}

// setName runs the first container's program once more, with the one right it needs.
func (c *control) setName(first, hostname string) error {
	if hostname == "" {
		return nil
	}
	var status uint32
	err := c.ask("Proc.Exec", naming(first, hostname), &status)
	if err == nil && status != 0 {
		err = fmt.Errorf("status %#x", status)
	}
	return err
}

func naming(first, hostname string) execution {
	return execution{
		Filename: "/" + program, Argv: []string{program, "name", hostname}, Dir: "/", ContainerID: first,
		Capabilities: capabilities{sysAdmin, sysAdmin, sysAdmin},
	}
}
