package elb

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	app := &LoadBalancer{Type: TypeApplication, Zones: []Zone{{Name: "a"}, {Name: "b"}}}
	word := func(state, reason string) []*TargetHealth {
		return []*TargetHealth{{State: state, Reason: reason, Description: "why " + reason, At: at.Add(time.Minute)}}
	}
	nodes := func(n ...[]*TargetHealth) []Watcher { return []Watcher{{LoadBalancer: app, Nodes: n}} }
	for name, c := range map[string]struct {
		target   Target
		watchers []Watcher
		want     Health
	}{
		"no load balancer":                     {Target{}, nil, Health{State: "unused", Reason: "Target.NotInUse", Description: "Target group is not configured to receive traffic from the load balancer"}},
		"another zone":                         {Target{Place: "c"}, nodes(), Health{State: "unused", Reason: "Target.NotInUse", Description: "Target is in an Availability Zone that is not enabled for the load balancer"}},
		"no node serves":                       {Target{Place: "a"}, nodes(), Health{State: "initial", Reason: "Elb.RegistrationInProgress", Description: "Target registration is in progress"}},
		"no node has said anything":            {Target{Place: "a"}, nodes(nil, nil), Health{State: "initial", Reason: "Elb.RegistrationInProgress", Description: "Target registration is in progress"}},
		"one looks":                            {Target{Place: "a"}, nodes(word(Initial, "Elb.InitialHealthChecking")), Health{State: "initial", Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}},
		"healthy to one, unknown to another":   {Target{Place: "a"}, nodes(word(Healthy, ""), nil), Health{State: "initial", Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}},
		"unhealthy to one, initial to another": {Target{Place: "a"}, nodes(word(Unhealthy, "Target.Timeout"), word(Initial, "")), Health{State: "initial", Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}},
		"taken back":                           {Target{Place: "a"}, nodes(word(Healthy, ""), word(Drained, "")), Health{State: "initial", Reason: "Elb.InitialHealthChecking", Description: "Initial health checks in progress"}},
		"healthy to all":                       {Target{Place: "a"}, nodes(word(Healthy, ""), word(Healthy, "")), Health{State: "healthy"}},
		"healthy to one":                       {Target{Place: "a"}, nodes(word(Unhealthy, "Target.Timeout"), word(Healthy, "")), Health{State: "healthy"}},
		"unhealthy":                            {Target{TargetKey: TargetKey{Zone: AllZones}}, nodes(word(Unhealthy, "Target.Timeout")), Health{State: "unhealthy", Reason: "Target.Timeout", Description: "why Target.Timeout"}},
		"unhealthy, without a word why":        {Target{}, nodes(word(Unhealthy, "")), Health{State: "unhealthy", Reason: "Target.FailedHealthChecks", Description: "Health checks failed"}},
		"draining":                             {Target{DrainingSince: at}, nodes(word(Healthy, "")), Health{State: "draining", Reason: "Target.DeregistrationInProgress", Description: "Target deregistration is in progress"}},
	} {
		got := Judge(&c.target, c.watchers)
		got.Since = time.Time{}
		if got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	target := &Target{RegisteredAt: at, Place: "a"}
	if got := Judge(target, nodes(word(Healthy, ""))).Since; !got.Equal(at.Add(time.Minute)) {
		t.Error("healthy since", got)
	}
	if got := Judge(target, nodes(nil)).Since; !got.Equal(at) {
		t.Error("registering since", got)
	}
}

func TestGone(t *testing.T) {
	drained, busy := []*TargetHealth{{State: Drained}}, []*TargetHealth{{State: Drained}, {State: Healthy}}
	for name, c := range map[string]struct {
		watchers []Watcher
		want     bool
	}{
		"no load balancer":     {nil, true},
		"none serves":          {[]Watcher{{}}, true},
		"all have said so":     {[]Watcher{{Nodes: [][]*TargetHealth{drained}}, {Nodes: [][]*TargetHealth{drained, drained}}}, true},
		"one has not":          {[]Watcher{{Nodes: [][]*TargetHealth{drained}}, {Nodes: [][]*TargetHealth{drained, nil}}}, false},
		"one of two addresses": {[]Watcher{{Nodes: [][]*TargetHealth{busy}}}, false},
	} {
		if got := Gone(c.watchers); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSeenFrom(t *testing.T) {
	app := &LoadBalancer{Type: TypeApplication, Zones: []Zone{{Name: "a"}, {Name: "b"}}}
	net := &LoadBalancer{Type: TypeNetwork, Zones: app.Zones}
	on, off := map[string]string{AttrCrossZone: "true"}, map[string]string{AttrCrossZone: "false"}
	for name, c := range map[string]struct {
		target        Target
		l             *LoadBalancer
		ofLB, ofGroup map[string]string
		fromA, fromB  bool
	}{
		"application":                         {Target{Place: "a"}, app, nil, nil, true, true},
		"application, not crossed":            {Target{Place: "a"}, app, nil, off, true, false},
		"application, another zone":           {Target{Place: "c"}, app, nil, nil, false, false},
		"network":                             {Target{Place: "b"}, net, nil, nil, false, true},
		"network, crossed":                    {Target{Place: "b"}, net, on, nil, true, true},
		"network, crossed, but not the group": {Target{Place: "b"}, net, on, off, false, true},
		"network, the group crosses":          {Target{Place: "b"}, net, off, on, true, true},
		"all zones":                           {Target{TargetKey: TargetKey{Zone: AllZones}, Place: "c"}, net, nil, nil, true, true},
		"beyond the VPC":                      {Target{}, net, nil, nil, true, true},
	} {
		cross := CrossZone(c.l, c.ofLB, c.ofGroup)
		if a, b := c.target.SeenFrom(c.l, "a", cross), c.target.SeenFrom(c.l, "b", cross); a != c.fromA || b != c.fromB {
			t.Errorf("%s: seen from a %v, from b %v", name, a, b)
		}
	}
}
