package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// hand is gVisor by hand: two namespaces with a pair of links, a server in one, and containers that runsc runs in the other.
type hand struct {
	dir, runsc string
	near, far  string
	server     *exec.Cmd
	count      int
}

const bundle = `{"ociVersion": "1.0.0", "process": {"user": {"uid": 0, "gid": 0}, "args": ["/load", "ask", "10.219.7.2"], "cwd": "/", "env": ["PATH=/"]},
"root": {"path": "rootfs", "readonly": true}, "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
"linux": {"resources": {"cpu": {"quota": 100000, "period": 100000}}, "cgroupsPath": "/%s",
"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network", "path": "/run/netns/%s"}]}}`

func openHand(ctx context.Context, dir, runsc, program string) (*hand, error) {
	h := &hand{dir: dir, runsc: runsc, near: filepath.Base(dir) + "n", far: filepath.Base(dir) + "f"}
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	for _, err := range []error{
		os.MkdirAll(dir+"/bundle/rootfs", 0o755),
		os.WriteFile(dir+"/bundle/rootfs/load", body, 0o755),
		os.WriteFile(dir+"/bundle/config.json", fmt.Appendf(nil, bundle, h.near, h.near), 0o600),
	} {
		if err != nil {
			return h, err
		}
	}
	for _, c := range []string{
		"netns add " + h.near, "netns add " + h.far,
		"-n " + h.near + " link add eth0 mtu 9001 type veth peer name eth0 mtu 9001 netns " + h.far,
		"-n " + h.near + " link set lo up", "-n " + h.near + " link set eth0 up", "-n " + h.far + " link set lo up", "-n " + h.far + " link set eth0 up",
		"-n " + h.far + " addr add 10.219.7.2/24 dev eth0",
	} {
		if err := ip(ctx, c); err != nil {
			return h, err
		}
	}
	h.server = exec.CommandContext(ctx, "ip", "netns", "exec", h.far, program, "serve")
	return h, h.server.Start()
}

func ip(ctx context.Context, line string) error {
	if out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", line, err, out)
	}
	return nil
}

// ask gives the interface its address, which a sandbox takes, and runs one.
func (h *hand) ask(ctx context.Context) (time.Duration, error) {
	if err := ip(ctx, "-n "+h.near+" addr replace 10.219.7.1/24 dev eth0"); err != nil {
		return 0, err
	}
	h.count++
	id := h.near + strconv.Itoa(h.count)
	cmd := exec.CommandContext(ctx, h.runsc, "--root", h.dir+"/hand", "--platform", "systrap", "--network", "sandbox", "--overlay2", "none",
		"--host-settings", "ignore", "run", "--bundle", h.dir+"/bundle", id)
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("runsc run: %w: %s", err, out)
	}
	return nanoseconds(string(out))
}

func (h *hand) close(ctx context.Context) error {
	var errs []error
	if h.server != nil && h.server.Process != nil {
		_ = h.server.Process.Kill() // it may have ended
		_ = h.server.Wait()         // it was killed
	}
	errs = append(errs, exec.CommandContext(ctx, "umount", h.dir+"/hand/null-netns").Run())
	for _, ns := range []string{h.near, h.far} {
		errs = append(errs, ip(ctx, "netns delete "+ns))
	}
	return errors.Join(errs...)
}
