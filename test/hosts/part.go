package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/berth-ecs/berth/test/audit/inventory"
)

// Part is a process beside the server's and the node's own.
type Part string

// The parts of a node.
const (
	Hold       Part = "hold"
	Containerd Part = "containerd"
	Shim       Part = "shim"
	Runc       Part = "runc"        // there while a container is made, started or deleted
	Enter      Part = "berth-enter" // there once a health check was made
	Envoy      Part = "envoy"       // there while a load balancer has a node on the host
)

// is tells whether a process is such a part.
func (p Part) is(exe string, args []string) bool {
	base := filepath.Base(args[0])
	switch p {
	case Hold:
		return len(args) > 1 && args[1] == "hold"
	case Shim:
		return strings.HasPrefix(base, "containerd-shim")
	case Enter:
		return strings.Contains(exe, "memfd:berth-enter")
	case Containerd, Runc, Envoy:
		return base == string(p)
	}
	return false
}

// Processes are the ids of a part's processes, in order: what runs in the host's namespace.
func (h *Host) Processes(p Part) (found []int) {
	mine, err := os.Stat("/run/netns/" + h.Name)
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, nan := strconv.Atoi(e.Name())
		if err != nil || nan != nil {
			continue
		}
		proc := filepath.Join("/proc", e.Name())
		space, gone := os.Stat(filepath.Join(proc, "ns/net"))
		line, _ := os.ReadFile(filepath.Join(proc, "cmdline")) // it may be gone by now
		if gone != nil || len(line) == 0 || !os.SameFile(mine, space) {
			continue
		}
		exe, _ := os.Readlink(filepath.Join(proc, "exe"))
		if p.is(exe, strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")) {
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return found
}

// End ends a process with SIGKILL and waits until it is gone.
func End(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		return fmt.Errorf("kill %d: %w", pid, err)
	}
	for tick := time.NewTicker(time.Millisecond); ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || bytes.HasPrefix(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" Z")) {
			tick.Stop()
			return nil //nolint:nilerr // it is gone
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d does not end: %w", pid, ctx.Err())
		case <-tick.C:
		}
	}
}

// Audit is what there is of the host's installation, as the kernel and containerd say.
func (h *Host) Audit(ctx context.Context) (v inventory.Inventory, err error) {
	err = h.inside(func() error {
		v, err = inventory.Take(ctx, inventory.Options{Name: h.Name, RunDir: h.RunDir(), DataDir: h.DataDir(), Ctr: "/opt/berth/bin/ctr"})
		return err
	})
	return v, err
}
