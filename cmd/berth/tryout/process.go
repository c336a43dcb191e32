package tryout

import (
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

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// Processes are the servers and nodes of an installation that run, by what is in their environment: nothing that was written down can be old.
func Processes(name string) ([]int, error) {
	return processes(name, func(args []string) bool {
		return len(args) > 1 && (args[1] == string(joining.Server) || args[1] == string(joining.Node))
	})
}

// processes are those of an installation whose arguments are such.
func processes(name string, such func(args []string) bool) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may be gone by now
		if !such(strings.Split(string(line), "\x00")) {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ")) // as above
		if slices.Contains(strings.Split(string(environ), "\x00"), config.EnvPrefix+"NAME="+name) {
			out = append(out, pid)
		}
	}
	return out, nil
}

// endEvery is short beside the end of a process.
const endEvery = 20 * time.Millisecond

// end sends a signal to a machine's server or node, and returns when it is gone. One that does not listen is killed.
func (r *Region) end(ctx context.Context, m Machine, s syscall.Signal) error {
	for _, s := range []syscall.Signal{s, syscall.SIGKILL} {
		if err := r.send(m, s); err != nil {
			return err
		}
		gone, err := r.gone(ctx, m)
		if err != nil || gone {
			return err
		}
	}
	return fmt.Errorf("%s: its process is still there after SIGKILL", m.Name)
}

func (r *Region) send(m Machine, s syscall.Signal) error {
	pids, err := Processes(r.name(m))
	for _, pid := range pids {
		if no := syscall.Kill(pid, s); no != nil && !errors.Is(no, syscall.ESRCH) {
			err = errors.Join(err, fmt.Errorf("%s: signal process %d: %w", m.Name, pid, no))
		}
	}
	return err
}

// gone waits until nothing of a machine runs; false when that takes too long.
func (r *Region) gone(ctx context.Context, m Machine) (bool, error) {
	patience, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	for {
		if pids, err := Processes(r.name(m)); err != nil || len(pids) == 0 {
			return err == nil, err
		}
		select {
		case <-patience.Done():
			return false, ctx.Err()
		case <-time.After(endEvery):
		}
	}
}

// start begins a machine's server or node, unless it runs. One that is nobody yet gets a ticket.
func (r *Region) start(ctx context.Context, p *Plan, m Machine) error {
	pids, err := Processes(r.name(m))
	if err != nil || len(pids) > 0 {
		return err
	}
	s := r.settings(p, m)
	if r.joins(p, m) {
		if s.Join, err = r.Ticket(ctx, m.Role); err != nil {
			return fmt.Errorf("a ticket for %s: %w", m.Name, err)
		}
	}
	return netspace.InsideAt(lan.Space(r.name(m)), func() error {
		_, err := background.Start(background.Command{Exe: r.Exe, Args: []string{string(m.Role)}, Env: r.environOf(s), LogFile: r.logFile(m)})
		return err
	})
}

// joins says whether a machine needs a ticket: it is nobody yet, and not the first of all.
func (r *Region) joins(p *Plan, m Machine) bool {
	if m.Role == joining.Node {
		return !r.has(m, "machine.json")
	}
	return !r.recorded(m) && r.first(p) != m.Name
}

// first is the server that begins the region: the first of those there are, when none has records.
func (r *Region) first(p *Plan) string {
	servers := slices.DeleteFunc(p.of(joining.Server), func(m Machine) bool { return m.Lost })
	if len(servers) == 0 || slices.ContainsFunc(servers, r.recorded) {
		return ""
	}
	return servers[0].Name
}
