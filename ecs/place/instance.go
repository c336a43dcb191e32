package place

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Zone is the attribute that names a container instance's availability zone.
const Zone = "ecs.availability-zone"

// BerthNode is the attribute that only berth's own agent registers; its value names the machine. What takes berth's node, and not just any
// agent that claims to be able, asks for it.
const BerthNode = "berth.node-id"

// Fargate is the attribute of a container instance whose node offers its capacity to FARGATE, with FargateOn as its value.
const (
	Fargate   = "berth.fargate"
	FargateOn = "enabled"

	FargateRuntime = "berth.fargate-runtime" // what the tasks run on there
	FargateBoxed   = "runsc"
)

// Instance is a candidate: a container instance with what its node has left.
type Instance struct {
	ID            string // required; unique among the candidates
	Node          string // required; candidates of one node share its ledger
	LaunchType    string
	Status        string
	Connected     bool
	AgentVersion  string
	EC2InstanceID string
	RegisteredAt  time.Time
	Attributes    []shape.Attribute
	Total         ecs.Amounts // of the node's ledger
	Used          ecs.Amounts // of the node's ledger
	BesideMiB     int64       // memory that a task of the request takes there beside its own
	Running       int         // tasks that should run on it, whoever's
	Peers         int         // of those, the tasks of the same service or group
	Groups        []string    // task groups of its running tasks; needed by requests whose expressions ask for them
}

// TaskGroups implements query.Facts.
func (i *Instance) TaskGroups() []string { return i.Groups }

// Fact implements query.Facts.
func (i *Instance) Fact(subject string) (string, bool) {
	switch subject {
	case query.AgentConnected:
		return strconv.FormatBool(i.Connected), true
	case query.AgentVersion:
		return i.AgentVersion, i.AgentVersion != ""
	case query.EC2InstanceID:
		return i.EC2InstanceID, i.EC2InstanceID != ""
	case query.RegisteredAt:
		return i.RegisteredAt.UTC().Format(time.RFC3339), true
	case query.RunningTasksCount:
		return strconv.Itoa(i.Running), true
	}
	const prefix = "attribute:"
	if len(subject) <= len(prefix) {
		return "", false
	}
	return AttributeOf(i.Attributes, subject[len(prefix):])
}

// AttributeOf finds an attribute by name; its value is "" when it has only a name.
func AttributeOf(all []shape.Attribute, name string) (value string, ok bool) {
	for i := range all {
		if all[i].Name != nil && *all[i].Name == name {
			return aws.Val(all[i].Value), true
		}
	}
	return "", false
}

var _ query.Facts = (*Instance)(nil)

// site is a candidate while a request is being placed: its counts move with each task.
type site struct {
	Instance
	index int          // among the sites
	used  *ecs.Amounts // shared by the candidates of one ledger
}

func (s *site) zone() string {
	zone, _ := AttributeOf(s.Attributes, Zone)
	return zone
}

func (s *site) freeCPU() int64     { return s.Total.CPU - s.used.CPU }
func (s *site) freeStorage() int64 { return s.Total.StorageGiB - s.used.StorageGiB }
func (s *site) freeMemory() int64  { return s.Total.MemoryMiB - s.used.MemoryMiB }

// sites copies the candidates, sorted by ID.
func sites(candidates []Instance) []*site {
	ledgers := map[string]*ecs.Amounts{}
	out := make([]*site, 0, len(candidates))
	for _, c := range candidates {
		used, ok := ledgers[c.Node]
		if !ok {
			copied := c.Used
			used = &copied
			ledgers[c.Node] = used
		}
		out = append(out, &site{Instance: c, used: used})
	}
	slices.SortFunc(out, func(a, b *site) int { return compareIDs(a.ID, b.ID) })
	for i, s := range out {
		s.index = i
	}
	return out
}

func (s *site) take(r *Request) {
	needs := r.Needs
	needs.MemoryMiB += s.BesideMiB
	*s.used = Add(*s.used, needs)
	s.Running++
	s.Peers++
	if r.Zones != nil {
		r.Zones[s.zone()]--
	}
	if r.Group != "" && !slices.Contains(s.Groups, r.Group) {
		s.Groups = append(slices.Clip(s.Groups), r.Group)
	}
}

// Add is what is used when needs are added to used.
func Add(used, needs ecs.Amounts) ecs.Amounts {
	return ecs.Amounts{
		CPU:        used.CPU + needs.CPU,
		MemoryMiB:  used.MemoryMiB + needs.MemoryMiB,
		StorageGiB: used.StorageGiB + needs.StorageGiB,
		Tasks:      used.Tasks + needs.Tasks,
		TCP:        union(used.TCP, needs.TCP),
		UDP:        union(used.UDP, needs.UDP),
	}
}

// Release is what is used when a task that held freed is gone. It never goes below nothing.
func Release(used, freed ecs.Amounts) ecs.Amounts {
	return ecs.Amounts{
		CPU:        max(0, used.CPU-freed.CPU),
		MemoryMiB:  max(0, used.MemoryMiB-freed.MemoryMiB),
		StorageGiB: max(0, used.StorageGiB-freed.StorageGiB),
		Tasks:      max(0, used.Tasks-freed.Tasks),
		TCP:        without(used.TCP, freed.TCP),
		UDP:        without(used.UDP, freed.UDP),
	}
}

func union(a, b []int) []int {
	if len(a)+len(b) == 0 {
		return nil
	}
	set := map[int]bool{}
	for _, p := range a {
		set[p] = true
	}
	for _, p := range b {
		set[p] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func without(a, b []int) []int {
	var out []int
	for _, p := range a {
		if !slices.Contains(b, p) {
			out = append(out, p)
		}
	}
	return out
}
