package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// options are runsc's, as berth has them.
const options = `binary_name = %q
root = %q
[runsc_config]
platform = "systrap"
network = "sandbox"
overlay2 = "none"
host-settings = "ignore"
`

// release unmounts what runsc mounted for the peers.
func (b *bench) release() {
	_ = unix.Unmount(filepath.Join(b.sockets, "..", "runsc", b.Name, "null-netns"), unix.MNT_DETACH) // there may be none
}

func (b *bench) ctrRunc(ctx context.Context) (time.Duration, error) { return b.ctr(ctx) }

func (b *bench) ctrRunsc(ctx context.Context) (time.Duration, error) {
	path := filepath.Join(b.sockets, "..", "options.toml")
	root := filepath.Join(b.sockets, "..", "runsc")
	if err := os.WriteFile(path, fmt.Appendf(nil, options, filepath.Join(b.BinDir, "runsc"), root), 0o600); err != nil {
		return 0, err
	}
	// containerd starts no shim of berth's: it is told where sockets go by a shell, which takes a millisecond.
	wrapper := filepath.Join(b.sockets, "..", "containerd-shim-berth-v1")
	script := fmt.Appendf(nil, "#!/bin/sh\nBERTH_SHIM_SOCKETS=%s exec %s \"$@\"\n", b.sockets, filepath.Join(b.BinDir, "containerd-shim-berth-v1"))
	if _, err := os.Stat(wrapper); err != nil {
		if err := os.WriteFile(wrapper, script, 0o755); err != nil {
			return 0, err
		}
	}
	return b.ctr(ctx, "--annotation", "io.kubernetes.cri.container-type=sandbox", "--runtime", wrapper, "--runtime-config-path", path)
}

// ctr runs a container with an empty network namespace.
func (b *bench) ctr(ctx context.Context, options ...string) (time.Duration, error) {
	b.count++
	id := "ctr" + strconv.Itoa(b.count)
	note := filepath.Join(b.report, id)
	run := []string{"run", "-d", "--snapshotter", "overlayfs", "--mount", "type=bind,src=" + b.report + ",dst=/report,options=rbind:rw"}
	since := time.Now()
	if err := b.command(ctx, append(append(run, options...), image, id, "/first", "/report/"+id)...); err != nil {
		return 0, err
	}
	var text []byte
	for end := since.Add(20 * time.Second); ; {
		var err error
		if text, err = os.ReadFile(note); err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(end) {
			return 0, fmt.Errorf("the container did not note its beginning: %w", err)
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
	if err := b.command(ctx, "tasks", "rm", "-f", id); err != nil {
		return 0, err
	}
	if err := b.command(ctx, "containers", "rm", id); err != nil {
		return 0, err
	}
	if err := b.settled(ctx); err != nil {
		return 0, err
	}
	return sinceNote(since, string(text))
}

func (b *bench) command(ctx context.Context, args ...string) error {
	base := []string{"-a", filepath.Join(b.RunDir, "containerd.sock"), "-n", b.Name}
	out, err := exec.CommandContext(ctx, filepath.Join(b.BinDir, "ctr"), append(base, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %v: %w: %s", args, err, out)
	}
	return nil
}
