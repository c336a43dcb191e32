package files

import (
	"path/filepath"
	"slices"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime/spec"
)

// Mounts are a container's own files in dir and what the task mounts; the task's win.
func Mounts(p *plan.Container, dir string) []spec.Mount {
	var out []spec.Mount
	for _, name := range Names {
		m := spec.Mount{Source: filepath.Join(dir, name), Target: "/etc/" + name}
		if !slices.ContainsFunc(p.Mounts, func(o spec.Mount) bool { return o.Target == m.Target }) {
			out = append(out, m)
		}
	}
	return append(out, p.Mounts...)
}
