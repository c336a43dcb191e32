package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/test/installation"
)

// memory is anonymous resident memory in MB, by program.
type memory map[string]float64

// The programs, and how each is told: by what its command line holds.
const (
	node       = "node"
	server     = "server"
	hold       = "hold"
	containerd = "containerd"
	shims      = "shims"
)

// memory reads it after nothing happened for a while.
func (b *bench) memory(ctx context.Context, settle time.Duration) (memory, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(settle):
	}
	out := memory{}
	pids, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range pids {
		command, err := os.ReadFile(dir + "/cmdline")
		if err != nil {
			continue // it has just ended
		}
		if what := b.program(filepath.Base(dir), string(command)); what != "" {
			out[what] += anonMB(dir)
		}
	}
	return out, nil
}

// program names a process of this installation.
func (b *bench) program(pid, command string) string {
	args := strings.Split(command, "\x00")
	switch pid {
	case strconv.Itoa(b.PID(installation.Node)):
		return node
	case strconv.Itoa(b.PID(installation.Server)):
		return server
	}
	environ, _ := os.ReadFile("/proc/" + pid + "/environ") // of one that has ended: nothing
	ours := strings.Contains(command, b.RunDir) || strings.Contains(command, b.DataDir) || strings.Contains(string(environ), "BERTH_NAME="+b.Name+"\x00")
	switch name := filepath.Base(args[0]); {
	case !ours:
		return ""
	case name == "containerd-shim-runc-v2":
		return shims
	case name == "containerd":
		return containerd
	case len(args) > 1 && args[1] == "hold":
		return hold
	}
	return ""
}

func anonMB(dir string) float64 {
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 64)
			return kb / 1024
		}
	}
	return 0
}

// report prints the growth a task.
func (m memory) report(after memory, tasks int) {
	fmt.Printf("%-12s %14s %14s %12s\n", "RssAnon", "one task, MB", "all, MB", "MB a task")
	for _, what := range []string{node, hold, server, containerd, shims} {
		fmt.Printf("%-12s %14.1f %14.1f %12.3f\n", what, m[what], after[what], (after[what]-m[what])/float64(tasks))
	}
	own := (after[node] + after[hold] - m[node] - m[hold]) / float64(tasks)
	peer := (after[containerd] + after[shims] - m[containerd] - m[shims]) / float64(tasks)
	fmt.Printf("berth's node adds %.3f MB a task, containerd and its shims %.2f MB; target at most %g MB: %s\n\n", own, peer, perTaskMB, verdict(own <= perTaskMB))
}
