package engine

import (
	"errors"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/agent/volume"
	"github.com/berth-ecs/berth/node/runtime"
)

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
