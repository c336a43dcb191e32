package inventory

import (
	"fmt"
	"slices"
	"strings"
)

// Diff lists what is only in before and only in after. Details do not count; process ids do, so that a container that
// was started anew shows up in both lists.
func Diff(before, after Inventory) (gone, added []Item) {
	return missing(before, after), missing(after, before)
}

func missing(from, in Inventory) []Item {
	type id struct {
		kind Kind
		key  string
	}
	have := map[id]bool{}
	for _, i := range in.Items {
		have[id{i.Kind, i.Key}] = true
	}
	var out []Item
	for _, i := range from.Items {
		if !have[id{i.Kind, i.Key}] {
			out = append(out, i)
		}
	}
	return out
}

// Running is a container that should be running.
type Running struct {
	TaskID   string // 32 hex digits
	ID       string // "<task>-<n>", as containerd knows it
	Endpoint string // optional: the id of its network endpoint, when it has one of its own
	Sandbox  bool   // optional: it must be in a gVisor sandbox; one that need not may be
	Ended    bool   // optional: it does not run any more, and its task does: what is written down of it stays
}

func (r Running) owns(owner string) bool {
	return owner == r.TaskID || owner == r.ID || owner == r.Endpoint && owner != ""
}

// Expect compares an inventory with what should run, and says in sentences what leaked and what is missing. Infrastructure
// is not judged; Empty does that once an installation is down.
func Expect(v Inventory, running []Running) []string {
	var findings []string
	for _, p := range v.Problems {
		findings = append(findings, "could not be read: "+p)
	}
	for _, i := range v.Items {
		if i.Owner != "" && !owned(i, running) {
			findings = append(findings, "leaked: "+i.String())
		}
	}
	for _, r := range running {
		if r.Ended {
			findings = append(findings, survives(v, r)...)
			continue
		}
		findings = append(findings, lacks(v, r)...)
	}
	return findings
}

func owned(i Item, running []Running) bool {
	for _, r := range running {
		if r.owns(i.Owner) {
			return true
		}
	}
	return false
}

// lacks names what a running container needs and does not have, or has more than once.
func lacks(v Inventory, r Running) []string {
	var out []string
	need := func(k Kind, what string, most int, ok func(Item) bool) {
		n := 0
		for _, i := range v.Of(k) {
			if ok(i) {
				n++
			}
		}
		if n == 0 || n > most {
			out = append(out, fmt.Sprintf("container %s has %d %s", r.ID, n, what))
		}
	}
	const many = 1 << 20 // a container may have as many processes as it likes
	need(Container, "records in containerd", 1, func(i Item) bool { return i.Key == r.ID })
	need(Task, "running tasks in containerd", 1, func(i Item) bool { return i.Key == r.ID && strings.Contains(i.Detail, "RUNNING") })
	need(Process, "shims", 1, func(i Item) bool { return i.Owner == r.TaskID && strings.HasPrefix(i.Key, "shim ") })
	if r.Sandbox || sandboxed(v, r.TaskID) {
		first := r.TaskID + "-sandbox"
		need(Process, "sandboxes", many, func(i Item) bool { return i.Owner == r.TaskID && strings.HasPrefix(i.Key, "sandbox ") })
		need(Process, "gofers", 1, func(i Item) bool { return i.Owner == r.ID && strings.HasPrefix(i.Key, "gofer ") })
		need(Container, "first containers", 1, func(i Item) bool { return i.Key == first })
		need(Task, "running first containers", 1, func(i Item) bool { return i.Key == first && strings.Contains(i.Detail, "RUNNING") })
	} else {
		need(Process, "processes", many, func(i Item) bool { return i.Owner == r.ID && strings.HasPrefix(i.Key, "container ") })
	}
	if r.Endpoint != "" {
		need(Netns, "network namespaces", 1, func(i Item) bool { return i.Owner == r.Endpoint })
	}
	return out
}

// survives names the processes of a container that has ended.
func survives(v Inventory, r Running) (out []string) {
	for _, i := range v.Of(Process) {
		if i.Owner == r.ID {
			out = append(out, fmt.Sprintf("container %s has ended and has a %s", r.ID, i))
		}
	}
	return out
}

// sandboxed: a process of gVisor is the task's.
func sandboxed(v Inventory, task string) bool {
	return slices.ContainsFunc(v.Of(Process), func(i Item) bool { return i.Owner == task && strings.HasPrefix(i.Key, "sandbox ") })
}

// Empty says what an installation that is down still has: anything at all is a leak.
func Empty(v Inventory) []string {
	var findings []string
	for _, p := range v.Problems {
		findings = append(findings, "could not be read: "+p)
	}
	for _, i := range v.Items {
		findings = append(findings, "left behind: "+i.String())
	}
	return findings
}
