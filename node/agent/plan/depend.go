package plan

import (
	"fmt"
	"slices"
)

// The conditions of dependsOn.
const (
	Start    = "START"
	Complete = "COMPLETE"
	Success  = "SUCCESS"
	Healthy  = "HEALTHY"

	linked  = "linked"  // it runs: what a link needs
	created = "created" // it is there: what volumesFrom needs
)

// Linked says whether the dependency is a link's; Inherited, whether it is volumesFrom's.
func (d Dependency) Linked() bool    { return d.Condition == linked }
func (d Dependency) Inherited() bool { return d.Condition == created }

// Dependency delays a container until another one is as far as Condition.
type Dependency struct {
	On        int // index of the other container
	Condition string
}

// checkDependencies refuses graphs that can never be walked.
func (t *Task) checkDependencies() error {
	for _, c := range t.Containers {
		for _, d := range c.DependsOn {
			switch {
			case d.On < 0:
				return t.unresolvable()
			case d.Condition == Healthy && t.Containers[d.On].Health == nil:
				return unrecognised(fmt.Errorf("container %q: dependsOn %q HEALTHY: that container has no health check",
					c.Name, t.Containers[d.On].Name))
			}
		}
	}
	if t.cyclic() {
		t.disinherit() // the volumes are there whoever is first
	}
	if t.cyclic() {
		return t.unresolvable()
	}
	return nil
}

// disinherit lets no container wait for those whose volumes it mounts.
func (t *Task) disinherit() {
	for i := range t.Containers {
		c := &t.Containers[i]
		c.DependsOn = slices.DeleteFunc(c.DependsOn, Dependency.Inherited)
	}
}

// unresolvable is the ECS agent's sentence.
func (t *Task) unresolvable() *Refusal {
	return &Refusal{Reason: "Task dependencies cannot be resolved, taskArn: " + t.ARN}
}

// cyclic removes containers whose dependencies are removed until nothing changes; what stays is a cycle.
func (t *Task) cyclic() bool {
	gone := make([]bool, len(t.Containers))
	left := len(gone)
	for progress := true; progress && left > 0; {
		progress = false
		for i, c := range t.Containers {
			if gone[i] || !allGone(c.DependsOn, gone) {
				continue
			}
			gone[i], progress = true, true
			left--
		}
	}
	return left > 0
}

func allGone(deps []Dependency, gone []bool) bool {
	for _, d := range deps {
		if !gone[d.On] {
			return false
		}
	}
	return true
}

// Dependents answers the containers whose dependsOn names container i: they stop before it.
func (t *Task) Dependents(i int) []int {
	var out []int
	for j, c := range t.Containers {
		for _, d := range c.DependsOn {
			if d.On == i && !d.Linked() && !d.Inherited() {
				out = append(out, j)
				break
			}
		}
	}
	return out
}
