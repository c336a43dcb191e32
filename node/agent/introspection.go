package agent

import (
	"cmp"
	"fmt"

	"github.com/berth-ecs/berth/node/introspection"
	"github.com/berth-ecs/berth/node/metadata"
)

var _ introspection.Source = (*Agent)(nil)

// Self implements introspection.Source.
func (a *Agent) Self() introspection.Self {
	return introspection.Self{
		Cluster: a.cfg.Cluster, ContainerInstanceArn: a.instance.Load(),
		Version: fmt.Sprintf("Amazon ECS Agent - v%s (*%s)", a.cfg.Version, cmp.Or(a.cfg.Hash, "berth")),
	}
}

// Described implements introspection.Source. A task that was refused has no containers to tell of.
func (a *Agent) Described() []metadata.Task {
	var out []metadata.Task
	for _, t := range a.engine.Tasks() {
		if t.Plan != nil {
			out = append(out, a.metadataTask(&t))
		}
	}
	return out
}
