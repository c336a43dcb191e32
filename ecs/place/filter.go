package place

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// Reason is why a container instance was refused: the word in RunTask's failures[].reason.
type Reason string

// The reasons. Those of the resources, AGENT, ATTRIBUTE, LOCATION and INACTIVE are ECS's words for failures; those of the constraints are its sentences.
const (
	Inactive   Reason = "INACTIVE"
	Draining   Reason = "DRAINING"
	LaunchType Reason = "LAUNCH_TYPE"
	Location   Reason = "LOCATION"
	Agent      Reason = "AGENT"
	Interfaces Reason = "RESOURCE:ENI"
	CPU        Reason = "RESOURCE:CPU"
	Memory     Reason = "RESOURCE:MEMORY"
	Storage    Reason = "RESOURCE:EPHEMERAL_STORAGE"
	Ports      Reason = "RESOURCE:PORTS"
	Attribute  Reason = "ATTRIBUTE"
	MemberOf   Reason = "MemberOf placement constraint unsatisfied."
	Distinct   Reason = "DistinctInstance placement constraint unsatisfied."
)

// MaxPorts is how many host ports of an instance may be reserved, its own included; those that the node picks itself do not count.
const MaxPorts = 100

// filter refuses a candidate with a reason. The detail is for people: what was wanted, what there is.
type filter struct {
	reason  Reason
	refuses func(*site, *Request) (detail string, refused bool)
}

// filters in the order in which they are asked. A candidate is counted under the first that refuses it; the closest is the one that came
// furthest, so what cannot change comes first and room comes last.
var filters = []filter{
	{Inactive, func(s *site, _ *Request) (string, bool) { return "", s.Status == ecs.InstanceInactive }},
	{Draining, func(s *site, _ *Request) (string, bool) { return "", s.Status != ecs.InstanceActive }},
	{LaunchType, refusesLaunchType},
	{Attribute, refusesAttributes},
	{MemberOf, refusesExpressions},
	{Location, refusesLocation},
	{Agent, func(s *site, _ *Request) (string, bool) { return "", !s.Connected }},
	{Distinct, func(s *site, r *Request) (string, bool) { return "", r.Distinct && s.Peers > 0 }},
	{Interfaces, refusesInterfaces},
	{Ports, refusesPorts},
	{CPU, func(s *site, r *Request) (string, bool) { return lacks("CPU units", r.Needs.CPU, s.freeCPU()) }},
	{Memory, func(s *site, r *Request) (string, bool) {
		return lacks("MiB of memory", r.Needs.MemoryMiB+s.BesideMiB, s.freeMemory())
	}},
	{Storage, func(s *site, r *Request) (string, bool) {
		return lacks("GiB of ephemeral storage", r.Needs.StorageGiB, s.freeStorage())
	}},
}

// check asks every filter; stage is the index of the one that refused, len(filters) when none did.
func check(s *site, r *Request) (stage int, detail string) {
	for i, f := range filters {
		if d, refused := f.refuses(s, r); refused {
			return i, d
		}
	}
	return len(filters), ""
}

func lacks(what string, need, free int64) (string, bool) {
	if need <= 0 || need <= free {
		return "", false
	}
	return itoa(need) + " " + what + " are required, " + itoa(max(0, free)) + " are available", true
}

func refusesLaunchType(s *site, r *Request) (string, bool) {
	if r.LaunchType == "" || r.LaunchType == s.LaunchType {
		return "", false
	}
	return r.LaunchType + " is required", true
}

func refusesAttributes(s *site, r *Request) (string, bool) {
	for _, a := range r.Attributes {
		have, ok := AttributeOf(s.Attributes, aws.Val(a.Name))
		switch {
		case !ok:
			return aws.Val(a.Name) + " is missing", true
		case !Delivers(aws.Val(a.Name)):
			return aws.Val(a.Name) + " is not served in this region yet", true
		}
		if a.Value != nil && *a.Value != have {
			return aws.Val(a.Name) + " is " + have + ", not " + *a.Value, true
		}
	}
	if r.Architecture == "" {
		return "", false
	}
	if have, _ := AttributeOf(s.Attributes, Architecture); have != "" && !strings.EqualFold(have, r.Architecture) {
		return Architecture + " is " + have + ", not " + r.Architecture, true
	}
	return "", false
}

// refusesLocation: a task's interface is in the zone of its instance.
func refusesLocation(s *site, r *Request) (string, bool) {
	if r.Zones == nil {
		return "", false
	}
	if _, ok := r.Zones[s.zone()]; ok {
		return "", false
	}
	return "none of the subnets is in " + s.zone(), true
}

func refusesInterfaces(s *site, r *Request) (string, bool) {
	if r.Zones == nil || r.Zones[s.zone()] > 0 {
		return "", false
	}
	return "the subnets in " + s.zone() + " have no free address", true
}

func refusesExpressions(s *site, r *Request) (string, bool) {
	for _, e := range r.MemberOf {
		if !e.Match(&s.Instance) {
			return "", true
		}
	}
	return "", false
}

func refusesPorts(s *site, r *Request) (string, bool) {
	if p, ok := taken(r.Needs.TCP, s.Total.TCP, s.used.TCP); ok {
		return "port " + itoa(int64(p)) + "/tcp is in use", true
	}
	if p, ok := taken(r.Needs.UDP, s.Total.UDP, s.used.UDP); ok {
		return "port " + itoa(int64(p)) + "/udp is in use", true
	}
	need := len(r.Needs.TCP) + len(r.Needs.UDP)
	have := len(s.Total.TCP) + len(s.Total.UDP) + len(s.used.TCP) + len(s.used.UDP)
	if need == 0 || need+have <= MaxPorts {
		return "", false
	}
	return "more than " + itoa(MaxPorts) + " ports would be reserved", true
}

func taken(need, reserved, used []int) (int, bool) {
	for _, p := range need {
		if slices.Contains(reserved, p) || slices.Contains(used, p) {
			return p, true
		}
	}
	return 0, false
}
