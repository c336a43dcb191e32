package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// each calls do for every id, so many at a time.
func (b *bench) each(ctx context.Context, ids []string, do func(ctx context.Context, id string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(b.parallel)
	for _, id := range ids {
		g.Go(func() error { return do(ctx, id) })
	}
	return g.Wait()
}

// ids are new names of containers.
func (b *bench) ids() []string {
	out := make([]string, b.size)
	for i := range out {
		b.count++
		out[i] = "peer" + strconv.Itoa(b.count)
	}
	return out
}

func (b *bench) ctr(ctx context.Context) (time.Duration, error) {
	ids := b.ids()
	began := time.Now()
	err := b.each(ctx, ids, func(ctx context.Context, id string) error {
		run := []string{"run", "-d", "--net-host"}
		if b.private { // an empty namespace
			run = run[:2]
		}
		return b.command(ctx, "ctr", b.ctrArgs(append(run, "--snapshotter", "overlayfs", "--mount", "type=bind,src="+b.reportDir()+",dst=/report,options=rbind:rw", image, id)...)...)
	})
	if err == nil {
		err = b.arrived(b.size)
	}
	took := time.Since(began)
	ctx = context.WithoutCancel(ctx)
	return took, errors.Join(err, b.each(ctx, ids, func(ctx context.Context, id string) error {
		if err := b.command(ctx, "ctr", b.ctrArgs("tasks", "rm", "-f", id)...); err != nil {
			return err
		}
		return b.command(ctx, "ctr", b.ctrArgs("containers", "rm", id)...)
	}))
}

func (b *bench) ctrArgs(args ...string) []string {
	return append([]string{"-a", filepath.Join(b.region.RunDir, "containerd.sock"), "-n", b.region.Name}, args...)
}

// runc's containers share one root file system, read-only; each has a bundle of its own.
func (b *bench) runc(ctx context.Context) (time.Duration, error) {
	ids := b.ids()
	for _, id := range ids {
		if err := b.makeDir(id); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	err := b.each(ctx, ids, func(ctx context.Context, id string) error {
		return b.command(ctx, "runc", "--root", b.bundles("state"), "run", "-d", "--bundle", b.bundles(id), id)
	})
	if err == nil {
		err = b.arrived(b.size)
	}
	took := time.Since(began)
	ctx = context.WithoutCancel(ctx)
	return took, errors.Join(err, b.each(ctx, ids, func(ctx context.Context, id string) error {
		if err := b.command(ctx, "runc", "--root", b.bundles("state"), "delete", "-f", id); err != nil {
			return err
		}
		return os.RemoveAll(b.bundles(id))
	}))
}

func (b *bench) bundles(name string) string { return filepath.Join(b.region.DataDir, "bundles", name) }

func (b *bench) makeDir(id string) error {
	if err := os.MkdirAll(b.bundles(id), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.bundles(id), "config.json"), b.bundle, 0o600)
}

// makeBundle turns what `runc spec` proposes into the program's: host network, the socket's directory, no terminal.
func (b *bench) makeBundle(ctx context.Context, program string) error {
	root := b.bundles("rootfs")
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "burst"), binary, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(root, "report"), 0o755); err != nil {
		return err
	}
	if err := b.command(ctx, "runc", "spec", "--bundle", b.bundles("")); err != nil {
		return err
	}
	text, err := os.ReadFile(b.bundles("config.json"))
	if err != nil {
		return err
	}
	var spec struct {
		Version string           `json:"ociVersion"`
		Process map[string]any   `json:"process"`
		Root    map[string]any   `json:"root"`
		Mounts  []map[string]any `json:"mounts"`
		Linux   map[string]any   `json:"linux"`
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	spec.Process["args"], spec.Process["terminal"] = []string{"/burst"}, false
	spec.Root["path"] = root
	spec.Mounts = append(spec.Mounts, map[string]any{"destination": "/report", "type": "bind", "source": b.reportDir(), "options": []string{"rbind", "rw"}})
	var namespaces []any
	all, _ := spec.Linux["namespaces"].([]any)
	for _, n := range all {
		if m, ok := n.(map[string]any); ok && m["type"] != "network" {
			namespaces = append(namespaces, n)
		}
	}
	spec.Linux["namespaces"] = namespaces
	b.bundle, err = json.Marshal(spec)
	return err
}

// command runs a tool of the region's. Output goes to a file: what runc leaves behind would hold a pipe open.
func (b *bench) command(ctx context.Context, tool string, args ...string) error {
	log, err := os.CreateTemp(b.region.DataDir, "command-")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close(); _ = os.Remove(log.Name()) }()
	cmd := exec.CommandContext(ctx, filepath.Join(b.region.BinDir, tool), args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%s %v: %w: %.500s", tool, args, err, text)
	}
	return nil
}
