package taskdef

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkDependencies: dependsOn names other containers of the task, HEALTHY wants a
// health check, a container waited for to end is not essential, and there is no
// cycle. The sentences are AWS's.
func checkDependencies(in *shape.RegisterTaskDefinitionRequest) error {
	edges := map[string][]string{}
	for _, c := range in.ContainerDefinitions {
		name := aws.Val(c.Name)
		for _, d := range c.DependsOn {
			if err := checkDependency(name, container(in, aws.Val(d.ContainerName)), d); err != nil {
				return err
			}
			edges[name] = append(edges[name], aws.Val(d.ContainerName))
		}
	}
	if cyclic(edges) {
		return invalid("Container dependencies should not have a cycle")
	}
	return nil
}

func checkDependency(name string, on *shape.ContainerDefinition, d shape.ContainerDependency) error {
	if on == nil { // the plus sign is AWS's
		return invalid("Cannot depend on container + '%s' because it does not exist", aws.Val(d.ContainerName))
	}
	switch aws.Val(d.Condition) {
	case shape.ContainerConditionStart:
	case shape.ContainerConditionComplete, shape.ContainerConditionSuccess:
		if isEssential(on) {
			return invalid("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
		}
	case shape.ContainerConditionHealthy:
		if on.HealthCheck == nil {
			return invalid("A dependency container with HEALTHY condition must have health check configured")
		}
	default:
		return invalid("Invalid 'dependsOn' setting for container '%s': condition '%s' must be one of [START,COMPLETE,SUCCESS,HEALTHY].", name, aws.Val(d.Condition))
	}
	return nil
}

// cyclic says whether a graph of containers, by name, leads back to itself.
func cyclic(edges map[string][]string) bool {
	const onPath, done = 1, 2
	state := map[string]int{}
	var visit func(string) bool
	visit = func(name string) bool {
		if state[name] != 0 {
			return state[name] == onPath
		}
		state[name] = onPath
		if slices.ContainsFunc(edges[name], visit) {
			return true
		}
		state[name] = done
		return false
	}
	for name := range edges {
		if visit(name) {
			return true
		}
	}
	return false
}
