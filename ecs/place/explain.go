package place

import (
	"fmt"
	"slices"
	"strings"
)

// Refusal says why a task has no place.
type Refusal struct {
	Counts  []Count // in the order of the filters; only those that refused someone
	Closest string  // instance ID; empty when there is no instance to speak of
	Reason  Reason  // of Closest
	Detail  string  // of Closest; what was wanted and what there is, may be empty
	// Nearest are the candidates that came closest, Closest first, at most ten.
	Nearest []Miss
}

// Miss is one candidate and why it was refused.
type Miss struct {
	ID     string
	Reason Reason
	Detail string
	stage  int
}

const maxNearest = 10

// Count is how many candidates one filter refused.
type Count struct {
	Reason Reason
	N      int
}

// NoInstances is ECS's sentence for a cluster without container instances.
const NoInstances = "No Container Instances were found in your cluster."

// explain asks each candidate why not. The closest is the one that passed most filters; ties go to the smaller ID, so that the same
// cluster always names the same one.
func explain(r *Request, all []*site) *Refusal {
	counts := make([]int, len(filters))
	out := &Refusal{}
	for _, s := range all {
		stage, detail := check(s, r)
		counts[stage]++
		// What cannot take tasks at all is no container instance to speak of.
		if reason := filters[stage].reason; counted(reason) {
			out.Nearest = append(out.Nearest, Miss{ID: s.ID, Reason: reason, Detail: detail, stage: stage})
		}
	}
	slices.SortStableFunc(out.Nearest, func(a, b Miss) int { return b.stage - a.stage })
	out.Nearest = out.Nearest[:min(len(out.Nearest), maxNearest)]
	if len(out.Nearest) > 0 {
		out.Closest, out.Reason, out.Detail = out.Nearest[0].ID, out.Nearest[0].Reason, out.Nearest[0].Detail
	}
	for i, n := range counts {
		if n > 0 {
			out.Counts = append(out.Counts, Count{filters[i].reason, n})
		}
	}
	return out
}

// counted says whether an instance refused for a reason is one that might have run the task.
func counted(r Reason) bool { return r != Inactive && r != Draining && r != LaunchType }

// NoInstance says whether the cluster had no container instance for such tasks at all.
func (r *Refusal) NoInstance() bool { return r.Closest == "" }

// Cause names what a sentence is about, without what changes from try to try: while it stays the same the sentence is not repeated.
func (r *Refusal) Cause() string {
	if r.NoInstance() {
		return "none"
	}
	return string(r.Reason)
}

// Sentence is the end of a service event, after "was unable to place a task because ...".
func (r *Refusal) Sentence() string {
	if r.NoInstance() {
		return "no container instance met all of its requirements. Reason: " + NoInstances
	}
	return fmt.Sprintf("no container instance met all of its requirements. The closest matching (container-instance %s) %s.%s", r.Closest, r.Reason.clause(), r.summary())
}

// clause is ECS's wording of a reason in a service event.
func (r Reason) clause() string {
	switch r {
	case CPU:
		return "has insufficient CPU units available"
	case Memory:
		return "has insufficient memory available"
	case Ports:
		return "is already using a port required by your task"
	case Attribute:
		return "is missing an attribute required by your task"
	default:
		return fmt.Sprintf("encountered error %q", string(r))
	}
}

// summary counts the reasons when more than one instance was asked. ECS does not say this.
func (r *Refusal) summary() string {
	total := 0
	var parts []string
	for _, c := range r.Counts {
		total += c.N
		parts = append(parts, fmt.Sprintf("%d %s", c.N, strings.TrimSuffix(string(c.Reason), ".")))
	}
	if total < 2 {
		return ""
	}
	return fmt.Sprintf(" Of %d container instances: %s.", total, strings.Join(parts, ", "))
}
