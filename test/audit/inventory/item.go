package inventory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// Kind is the sort of thing an item is.
type Kind string

// The kinds, in the order they are shown.
const (
	Mount     Kind = "mount"
	Storage   Kind = "storage" // the file of a task's file system, and a loop device of one
	Netns     Kind = "netns"
	Link      Kind = "link"
	Route     Kind = "route"
	Way       Kind = "way"  // an address of a VPC that is on another node, or such a node
	Rule      Kind = "rule" // nftables tables, chains and sets
	Element   Kind = "element"
	Cgroup    Kind = "cgroup"
	Process   Kind = "process"
	Port      Kind = "port"
	Container Kind = "container"
	Task      Kind = "task"
	Snapshot  Kind = "snapshot"
	Lease     Kind = "lease"
	Sandbox   Kind = "sandbox"
	State     Kind = "state" // a directory in which shims, runc or runsc keep what they know of a task or container
)

// Item is one thing that exists.
type Item struct {
	Kind   Kind   `json:"kind"`
	Key    string `json:"key"`
	Owner  string `json:"owner,omitzero"`  // task, container or endpoint id
	Detail string `json:"detail,omitzero"` // not part of its identity
}

func (i Item) String() string {
	s := fmt.Sprintf("%-9s %s", i.Kind, i.Key)
	if i.Detail != "" {
		s += "  (" + i.Detail + ")"
	}
	return s
}

// Inventory is what exists at one moment.
type Inventory struct {
	Items    []Item   `json:"items"`
	Problems []string `json:"problems,omitzero"` // what could not be read
}

func (v *Inventory) add(k Kind, key, owner, detail string) {
	v.Items = append(v.Items, Item{k, key, owner, detail})
}

func (v *Inventory) fail(what string, err error) {
	v.Problems = append(v.Problems, what+": "+err.Error())
}

func (v *Inventory) sort() {
	slices.SortFunc(v.Items, func(a, b Item) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key)) })
	v.Items = slices.CompactFunc(v.Items, func(a, b Item) bool { return a.Kind == b.Kind && a.Key == b.Key })
}

// Of lists the items of a kind.
func (v Inventory) Of(k Kind) []Item {
	var out []Item
	for _, i := range v.Items {
		if i.Kind == k {
			out = append(out, i)
		}
	}
	return out
}

// taskID is how ECS writes one: 32 hex digits, followed by "-<n>" when it is a container's.
var taskID = regexp.MustCompile(`\b[0-9a-f]{32}(-[0-9]+)?\b`)

// ownerIn finds the last task or container id in a name or path.
func ownerIn(s string) string {
	all := taskID.FindAllString(s, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}
