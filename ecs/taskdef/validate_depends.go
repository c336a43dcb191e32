package taskdef

import (
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkDependencies: dependsOn names other containers of the task, HEALTHY wants a
// health check, a container waited for to end is not essential, and there is no cycle.
func checkDependencies(in *shape.RegisterTaskDefinitionRequest) error {
	byName := map[string]*shape.ContainerDefinition{}
	for i := range in.ContainerDefinitions {
		byName[aws.Val(in.ContainerDefinitions[i].Name)] = &in.ContainerDefinitions[i]
	}
	for _, c := range in.ContainerDefinitions {
		for _, d := range c.DependsOn {
			if err := checkDependency(aws.Val(c.Name), byName[aws.Val(d.ContainerName)], d); err != nil {
				return err
			}
		}
	}
	state := map[string]int{}
	for i := range in.ContainerDefinitions {
		if cyclic(aws.Val(in.ContainerDefinitions[i].Name), byName, state) {
			return invalid("Container dependency must not contain a cycle: see container '%s'.", aws.Val(in.ContainerDefinitions[i].Name))
		}
	}
	return nil
}

func checkDependency(name string, on *shape.ContainerDefinition, d shape.ContainerDependency) error {
	if on == nil {
		return invalid("Invalid 'dependsOn' setting for container '%s': unknown container '%s'.", name, aws.Val(d.ContainerName))
	}
	switch aws.Val(d.Condition) {
	case shape.ContainerConditionStart:
	case shape.ContainerConditionComplete, shape.ContainerConditionSuccess:
		if on.Essential == nil || *on.Essential {
			return invalid("Invalid 'dependsOn' setting for container '%s': an essential container cannot be waited for with condition %s.", name, *d.Condition)
		}
	case shape.ContainerConditionHealthy:
		if on.HealthCheck == nil {
			return invalid("Invalid 'dependsOn' setting for container '%s': container '%s' has no health check to be HEALTHY by.", name, aws.Val(d.ContainerName))
		}
	default:
		return invalid("Invalid 'dependsOn' setting for container '%s': condition %q is not one of START, COMPLETE, SUCCESS, HEALTHY.", name, aws.Val(d.Condition))
	}
	return nil
}

// cyclic walks depth first; state is 1 on the path and 2 when done.
func cyclic(name string, byName map[string]*shape.ContainerDefinition, state map[string]int) bool {
	switch state[name] {
	case 1:
		return true
	case 2:
		return false
	}
	state[name] = 1
	for _, d := range byName[name].DependsOn {
		if cyclic(aws.Val(d.ContainerName), byName, state) {
			return true
		}
	}
	state[name] = 2
	return false
}
