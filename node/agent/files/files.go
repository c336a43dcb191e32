// Package files makes what tasks have on the node's disk: their directories, and the files that name their containers.
//
// What is guaranteed: nobody but root passes through the directories on the machine, containers see what is mounted for them; what is made
// or removed again is as if it were once.
package files

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/plan"
)

// Dir holds a container's own hosts, hostname and resolv.conf.
func Dir(dataDir, taskID string, i int) string {
	return filepath.Join(plan.Dir(dataDir, taskID), strconv.Itoa(i))
}

// Names are mounted over the image's, unless the task mounts something there itself.
var Names = []string{"hosts", "hostname", "resolv.conf"}

// Write writes a container's files. Writing them again is harmless as long as it does not run.
func Write(dir string, p *plan.Container, addr netip.Addr, links []plan.HostEntry) error {
	defer failpoint.Around(failpoint.Files)()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f := p.Files(addr, hostFiles(), links)
	if f.Hostname == "" {
		name, err := os.Hostname()
		if err != nil {
			return err
		}
		f.Hostname = name + "\n"
	}
	for i, content := range []string{f.Hosts, f.Hostname, f.Resolv} {
		if err := os.WriteFile(filepath.Join(dir, Names[i]), []byte(content), 0o644); err != nil { //nolint:gosec // containers of any user read it
			return err
		}
	}
	return nil
}

// hostFiles reads the machine's; what is missing is empty.
func hostFiles() plan.HostFiles {
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return plan.HostFiles{
		Hosts: read("/etc/hosts"), Resolv: read("/etc/resolv.conf"), Upstream: read("/run/systemd/resolve/resolv.conf"),
	}
}

// MakeDirs makes the directories that tasks' files and volumes lie in. Nobody but root passes through them on the machine;
// containers see what is mounted for them.
func MakeDirs(dataDir string) error {
	for _, name := range []string{"tasks", "volumes", "mounts"} {
		dir := filepath.Join(dataDir, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes what lives as long as a task: its files and its own volumes.
func Remove(dataDir, taskID string) error {
	defer failpoint.Around(failpoint.RemoveFiles)()
	return os.RemoveAll(plan.Dir(dataDir, taskID))
}

// Sweep removes the directories of tasks that are not there.
func Sweep(dataDir string, keep map[string]bool) error {
	entries, err := os.ReadDir(filepath.Join(dataDir, "tasks"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, d := range entries {
		if !keep[d.Name()] {
			err = errors.Join(err, Remove(dataDir, d.Name()))
		}
	}
	return err
}
