package compose

import (
	"maps"
	"slices"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// LogMode is a task definition whose log configurations have a delivery mode: the account's, where a container names
// none. Blocking is what drivers do without being told.
func LogMode(d *ecs.TaskDefinition, mode string) *ecs.TaskDefinition {
	const option, blocking = "mode", "blocking"
	if mode == blocking {
		return d
	}
	next := *d
	next.Document.ContainerDefinitions = slices.Clone(d.Document.ContainerDefinitions)
	for i := range next.Document.ContainerDefinitions {
		c := &next.Document.ContainerDefinitions[i]
		if c.LogConfiguration == nil || aws.Val(c.LogConfiguration.LogDriver) == "none" || c.LogConfiguration.Options[option] != "" {
			continue
		}
		l := *c.LogConfiguration
		l.Options = map[string]string{option: mode}
		maps.Copy(l.Options, c.LogConfiguration.Options)
		c.LogConfiguration = &l
	}
	return &next
}
