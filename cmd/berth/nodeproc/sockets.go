package nodeproc

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-ecs/berth/node/dns/view"
	"github.com/berth-ecs/berth/node/hold"
	"github.com/berth-ecs/berth/nodeconf"
)

// sockets has hold keep the sockets inside of routers while this process is replaced. Keys are "kind/vpc/...". A router that was made anew is another
// namespace, and what was kept of the one before is not its: what hold knows a socket by names the namespace too.
type sockets struct {
	hold    *hold.Client
	dir     string // where routers' namespaces are mounted
	machine string // where the namespace is mounted that the machine's own resolver is in
}

// at separates a key from its namespace. No id has it.
const at = "@"

// full is what hold knows the socket by.
func (s sockets) full(key string) (string, error) {
	info, err := os.Stat(s.namespace(vpcOf(key)))
	if err != nil {
		return "", fmt.Errorf("the router of %s: %w", vpcOf(key), err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("the router of %s is no namespace", vpcOf(key))
	}
	return key + at + strconv.FormatUint(st.Ino, 10), nil
}

func (s sockets) namespace(vpc string) string {
	if vpc == view.Machine {
		return s.machine
	}
	return filepath.Join(s.dir, vpc)
}

func vpcOf(key string) string {
	_, rest, _ := strings.Cut(key, "/")
	vpc, _, _ := strings.Cut(rest, "/")
	vpc, _, _ = strings.Cut(vpc, at)
	return vpc
}

// KeepSocket implements dns.Keeper.
func (s sockets) KeepSocket(ctx context.Context, key string, c io.Closer) error {
	full, err := s.full(key)
	if err != nil {
		return err
	}
	return s.hold.KeepSocket(ctx, full, c)
}

// Socket implements dns.Keeper.
func (s sockets) Socket(ctx context.Context, key string) (io.Closer, error) {
	full, err := s.full(key)
	if err != nil {
		return nil, err
	}
	return s.hold.Socket(ctx, full)
}

// Forget implements dns.Keeper. The router may be gone by now.
func (s sockets) Forget(ctx context.Context, key string) error {
	return s.forget(ctx, func(full string) bool { return strings.HasPrefix(full, key+at) })
}

// Kept implements dns.Keeper.
func (s sockets) Kept(ctx context.Context) (keys []string, err error) {
	kept, err := s.hold.Kept(ctx)
	for _, full := range kept {
		if key, _, inRouter := strings.Cut(full, at); inRouter {
			keys = append(keys, key)
		}
	}
	return keys, err
}

// sweep lets go of what is kept of routers that are not there any more; a process that died may have left it.
func (s sockets) sweep(ctx context.Context, d nodeconf.Delta) error {
	if d.From != 0 {
		return nil
	}
	return s.forget(ctx, func(full string) bool {
		key, _, inRouter := strings.Cut(full, at)
		if !inRouter {
			return false
		}
		now, err := s.full(key)
		return err != nil || now != full
	})
}

func (s sockets) forget(ctx context.Context, which func(full string) bool) error {
	kept, err := s.hold.Kept(ctx)
	if err != nil {
		return err
	}
	for _, full := range kept {
		if which(full) {
			if err := s.hold.Forget(ctx, full); err != nil {
				return err
			}
		}
	}
	return nil
}
