package engine

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/agent/volume"
	"github.com/berth-ecs/berth/node/runtime"
)

// filesDir holds a container's own hosts, hostname and resolv.conf.
func filesDir(dataDir, taskID string, i int) string {
	return filepath.Join(plan.Dir(dataDir, taskID), strconv.Itoa(i))
}

// fileNames are mounted over the image's, unless the task mounts something there itself.
var fileNames = []string{"hosts", "hostname", "resolv.conf"}

// writeFiles writes a container's files. Writing them again is harmless as long as it does not run.
func writeFiles(dir string, p *plan.Container, addr netip.Addr, links []plan.HostEntry) error {
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
		if err := os.WriteFile(filepath.Join(dir, fileNames[i]), []byte(content), 0o644); err != nil { //nolint:gosec // containers of any user read it
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

// makeVolumes makes the directories of a task's volumes.
func (e *Engine) makeVolumes(volumes []plan.Volume) error {
	defer failpoint.Around(failpoint.Volumes)()
	for _, v := range volumes {
		if err := e.makeVolume(v); err != nil {
			return &runtime.Error{Name: "CannotCreateVolumeError", Message: err.Error()}
		}
	}
	return nil
}

// makeVolume makes one. No shared one that is being taken away may be in use then, so the two keep out of each other's way.
// Nobody waits for a volume that is not his: the server of a file system may be silent for ever.
func (e *Engine) makeVolume(v plan.Volume) error {
	if v.Shared {
		defer e.volumes.Lock(v.Path)()
	}
	return volume.Make(v)
}

// releaseVolumes takes away what is mounted for a task's volumes, and for shared ones that it was the last to use.
func (e *Engine) releaseVolumes(t *Task) error {
	err := volume.Release(e.cfg.Node.DataDir, t.ID)
	for _, v := range t.Plan.Volumes {
		if v.Shared {
			err = errors.Join(err, e.releaseShared(t, v.Path))
		}
	}
	return err
}

func (e *Engine) releaseShared(t *Task, path string) error {
	defer e.volumes.Lock(path)()
	var used map[string]bool
	e.update(func() { used = e.usedVolumes(t) })
	if used[path] {
		return nil
	}
	return volume.Unmount(path)
}

// usedVolumes are the paths of the volumes of all tasks but one that are not released.
func (e *Engine) usedVolumes(but *Task) map[string]bool {
	used := map[string]bool{}
	for _, t := range e.tasks {
		if t == but || t.Released || t.Plan == nil {
			continue
		}
		for _, v := range t.Plan.Volumes {
			used[v.Path] = true
		}
	}
	return used
}

// makeDirs makes the directories that tasks' files and volumes lie in. Nobody but root passes through them on the machine;
// containers see what is mounted for them.
func makeDirs(dataDir string) error {
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

// removeDir removes what lives as long as a task: its files and its own volumes.
func removeDir(dataDir, taskID string) error {
	defer failpoint.Around(failpoint.RemoveFiles)()
	return os.RemoveAll(plan.Dir(dataDir, taskID))
}

// sweepDirs removes the directories of tasks that are not there.
func sweepDirs(dataDir string, keep map[string]bool) error {
	entries, err := os.ReadDir(filepath.Join(dataDir, "tasks"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, d := range entries {
		if !keep[d.Name()] {
			err = errors.Join(err, removeDir(dataDir, d.Name()))
		}
	}
	return err
}
