package elb

import (
	"slices"
	"time"
)

// Health is how a target is, as DescribeTargetHealth says it, and since when it is known to be so.
type Health struct {
	State, Reason, Description string
	Since                      time.Time
}

// States of targets.
const (
	Initial   = "initial"
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
	Unused    = "unused"
	Draining  = "draining"
	Drained   = "drained" // of a draining target, to one node: nothing is in flight there. No client sees it.
)

// What the load balancer itself has to say of targets.
var (
	notRegistered = Health{State: Unused, Reason: "Target.NotRegistered", Description: "Target is not registered to the target group"}
	notInUse      = Health{State: Unused, Reason: "Target.NotInUse", Description: "Target group is not configured to receive traffic from the load balancer"}
	otherZone     = Health{State: Unused, Reason: "Target.NotInUse", Description: "Target is in an Availability Zone that is not enabled for the load balancer"}
	registering   = Health{State: Initial, Reason: "Elb.RegistrationInProgress", Description: "Target registration is in progress"}
	checking      = Health{State: Initial, Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}
	draining      = Health{State: Draining, Reason: "Target.DeregistrationInProgress", Description: "Target deregistration is in progress"}
	failing       = Health{State: Unhealthy, Reason: "Target.FailedHealthChecks", Description: "Health checks failed"}
)

// NotRegistered is the health of what is no target of the group.
func NotRegistered() Health { return notRegistered }

// InvalidState is the health of an instance that does not run.
func InvalidState(state string) Health {
	return Health{State: Unused, Reason: "Target.InvalidState", Description: "Target is in the " + state + " state"}
}

// IPUnusable is the health of an address that a load balancer itself has.
func IPUnusable() Health {
	return Health{State: Unused, Reason: "Target.IpUnusable", Description: "Target IP address is reserved for use by a load balancer"}
}

// Watcher is a load balancer that forwards to a target's group, with its nodes that serve and send to this target.
type Watcher struct {
	LoadBalancer *LoadBalancer
	Cross        bool              // zones
	Nodes        [][]*TargetHealth // for each node that serves and sees the target: what it says, at each address; nothing yet, maybe
}

// Judge is how a target is, of what all nodes say that serve its group. Where they differ, it is initial while one has not made up its mind, so that
// who waits for it to be healthy waits for all; it is healthy while one finds it so, so that who replaces unhealthy ones does not for what one zone
// cannot reach.
func Judge(t *Target, watchers []Watcher) Health {
	if !t.DrainingSince.IsZero() {
		return draining.since(t.DrainingSince)
	}
	if len(watchers) == 0 {
		return notInUse.since(t.RegisteredAt)
	}
	var words []*TargetHealth
	served, waits := false, false
	for _, w := range watchers {
		served = served || t.Within(w.LoadBalancer)
		for _, n := range w.Nodes {
			waits = waits || len(n) == 0
			words = append(words, n...)
		}
	}
	if !served {
		return otherZone.since(t.RegisteredAt)
	}
	if len(words) == 0 {
		return registering.since(t.RegisteredAt)
	}
	last := slices.MaxFunc(words, func(a, b *TargetHealth) int { return a.At.Compare(b.At) })
	return agree(words, waits).since(last.At)
}

func (h Health) since(at time.Time) Health {
	h.Since = at
	return h
}

// agree is what the words of nodes come to; waits: a node has said nothing yet.
func agree(words []*TargetHealth, waits bool) Health {
	has := func(state string) int {
		return slices.IndexFunc(words, func(w *TargetHealth) bool { return w.State == state })
	}
	switch healthy, unhealthy := has(Healthy), has(Unhealthy); {
	case waits || has(Initial) >= 0 || has(Drained) >= 0: // Drained: it was taken back, and the node has not heard of it
		return checking
	case healthy >= 0:
		return Health{State: Healthy}
	case unhealthy >= 0 && words[unhealthy].Reason != "":
		return Health{State: Unhealthy, Reason: words[unhealthy].Reason, Description: words[unhealthy].Description}
	}
	return failing
}

// Gone says whether nothing is in flight to a draining target any more: every node that serves its group has said so.
func Gone(watchers []Watcher) bool {
	for _, w := range watchers {
		for _, n := range w.Nodes {
			if len(n) == 0 || slices.ContainsFunc(n, func(h *TargetHealth) bool { return h.State != Drained }) {
				return false
			}
		}
	}
	return true
}

// AllZones is the zone of a target that every node sends to.
const AllZones = "all"

// Within says whether a target is where a load balancer is: in one of its zones, or beyond the VPC.
func (t *Target) Within(l *LoadBalancer) bool {
	return t.everywhere() || slices.ContainsFunc(l.Zones, func(z Zone) bool { return z.Name == t.Place })
}

func (t *Target) everywhere() bool { return t.Place == "" || t.Zone == AllZones }

// SeenFrom says whether a load balancer's node in a zone sends to a target: when the target is within the load balancer's zones, and in the node's own
// where zones are not crossed.
func (t *Target) SeenFrom(l *LoadBalancer, zone string, cross bool) bool {
	return t.Within(l) && (cross || t.everywhere() || t.Place == zone)
}

// AttrCrossZone is the attribute of load balancers and target groups that says whether nodes send to targets of other zones.
const AttrCrossZone = "load_balancing.cross_zone.enabled"

// CrossZone says whether the nodes of a load balancer send to targets of a group in other zones, by what is set of both.
func CrossZone(l *LoadBalancer, ofLoadBalancer, ofGroup map[string]string) bool {
	if own := ofGroup[AttrCrossZone]; own == "true" || own == "false" {
		return own == "true"
	}
	return l.Type == TypeApplication || ofLoadBalancer[AttrCrossZone] == "true"
}
