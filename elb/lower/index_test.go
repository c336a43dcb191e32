package lower_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/proxyconf"
)

// state is what proxies were told.
type state struct {
	parts     map[lower.PartKey]proxyconf.Part
	endpoints map[string]proxyconf.Endpoints
	secrets   map[string]bool
}

func newState() state {
	return state{map[lower.PartKey]proxyconf.Part{}, map[string]proxyconf.Endpoints{}, map[string]bool{}}
}

// apply takes a change, which must say nothing that is known.
func (s state) apply(t *testing.T, d lower.Delta) {
	t.Helper()
	for _, p := range d.Parts {
		key := lower.PartKey{Place: p.Place, Part: p.Part.Name}
		if was, ok := s.parts[key]; ok && reflect.DeepEqual(was, p.Part) {
			t.Errorf("%v is told again", key)
		}
		s.parts[key] = p.Part
	}
	for _, e := range d.Endpoints {
		if was, ok := s.endpoints[e.Name]; ok && reflect.DeepEqual(was, e) {
			t.Errorf("%s is told again", e.Name)
		}
		s.endpoints[e.Name] = e
	}
	for _, k := range d.PartsGone {
		if _, ok := s.parts[k]; !ok {
			t.Errorf("%v goes and was not there", k)
		}
		delete(s.parts, k)
	}
	for _, name := range d.EndpointsGone {
		if _, ok := s.endpoints[name]; !ok {
			t.Errorf("%s goes and was not there", name)
		}
		delete(s.endpoints, name)
	}
	for _, arn := range d.Secrets {
		if s.secrets[arn] {
			t.Errorf("%s is told again", arn)
		}
		s.secrets[arn] = true
	}
	for _, arn := range d.SecretsGone {
		delete(s.secrets, arn)
	}
}

// consistent says whether everything that is named is there, and nothing else.
func (s state) consistent(t *testing.T) {
	t.Helper()
	named, certificates := map[string]bool{}, map[string]bool{}
	for _, p := range s.parts {
		for _, c := range p.Clusters {
			named[c.Endpoints] = true
		}
		for _, l := range p.Listeners {
			if l.TLS != nil {
				for _, c := range l.TLS.Certificates {
					certificates[c] = true
				}
			}
		}
	}
	if got := maps.Collect(maps.All(named)); len(got) != len(s.endpoints) {
		t.Errorf("%d endpoints are named, %d are there", len(got), len(s.endpoints))
	}
	for name := range named {
		if _, ok := s.endpoints[name]; !ok {
			t.Errorf("%s is named and not there", name)
		}
	}
	if !reflect.DeepEqual(certificates, s.secrets) {
		t.Errorf("certificates %v are named, %v are there", certificates, s.secrets)
	}
}

// books are records by key, which change at random.
type books map[string]any

var zones = []string{"us-east-1a", "us-east-1b", "us-east-1c"}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (b books) balancer(r *rand.Rand) *elb.LoadBalancer {
	id := r.IntN(3)
	l := &elb.LoadBalancer{Home: home, ID: fmt.Sprint("lb", id), Name: fmt.Sprint("n", id), Type: pick(r, elb.TypeApplication, elb.TypeNetwork)}
	if id == 2 {
		l.Type = elb.TypeApplication
	}
	if was, ok := b["lb"+l.ID].(*elb.LoadBalancer); ok {
		l.Type = was.Type
	}
	for _, z := range zones[:1+r.IntN(3)] {
		l.Zones = append(l.Zones, elb.Zone{Name: z})
	}
	return l
}

func actions(r *rand.Rand) []elb.Action {
	var groups []elb.Weighted
	for range 1 + r.IntN(2) {
		groups = append(groups, elb.Weighted{Group: fmt.Sprint("g", r.IntN(5)), Weight: int32(r.IntN(3))})
	}
	return forward(groups...)
}

// random is the key of a record and the record as it is next.
func (b books) random(r *rand.Rand) (string, any) {
	lb := fmt.Sprint("lb", r.IntN(3))
	listener := fmt.Sprint("l", r.IntN(2))
	arn := func(n int) string { return fmt.Sprint("arn:aws:acm:r:0:certificate/", n) }
	full := (&elb.LoadBalancer{Home: home, ID: lb, Name: "n" + lb[2:], Type: elb.TypeApplication})
	switch r.IntN(12) {
	case 0:
		l := b.balancer(r)
		return "lb" + l.ID, l
	case 1:
		s := &elb.LoadBalancerStatus{Home: home, LoadBalancer: lb}
		for i := range r.IntN(4) {
			n := elb.Node{Zone: pick(r, zones...), Machine: pick(r, "", "m1", "m2"), Interface: fmt.Sprintf("eni-%s-%d", lb, i), Serving: r.IntN(2) == 0}
			n.Private = netip.AddrFrom4([4]byte{10, 1, 0, byte(r.IntN(9))})
			s.Nodes = append(s.Nodes, n)
		}
		return "status" + lb, s
	case 2:
		l := &elb.Listener{Home: home, LoadBalancer: lb, ID: listener, Port: int32(80 + r.IntN(2)), Protocol: pick(r, elb.HTTP, elb.HTTPS), Default: actions(r)}
		if l.Protocol == elb.HTTPS {
			l.Certificate = arn(r.IntN(3))
		}
		return "listener" + lb + listener, l
	case 3:
		c := &elb.Certificate{Home: home, LoadBalancer: lb, Listener: listener, ARN: arn(r.IntN(4))}
		return "certificate" + lb + listener + c.ARN, c
	case 4:
		n := r.IntN(4)
		return fmt.Sprint("rule", lb, listener, n), &elb.Rule{Home: home, LoadBalancer: lb, Listener: listener, ID: fmt.Sprint("r", n), Priority: int32(n*10 + r.IntN(3)),
			Conditions: []elb.Condition{{Field: "path-pattern", Values: []string{fmt.Sprint("/", r.IntN(3))}}}, Actions: actions(r)}
	case 5:
		of := pick(r, full.ARN(), full.ListenerARN(listener), group(fmt.Sprint("g", r.IntN(5)), nil).ARN())
		values := map[string]string{elb.AttrIdleTimeout: strconv.Itoa(1 + r.IntN(3)), elb.AttrCrossZone: pick(r, "true", "false", elb.CrossLikeBalancer)}
		return "attributes" + of, &elb.Attributes{Home: home, Of: of, Values: values}
	case 6:
		id := r.IntN(5)
		g := group(fmt.Sprint("g", id), func(g *elb.TargetGroup) {
			g.Type = []string{elb.TargetIP, elb.TargetIP, elb.TargetInstance, elb.TargetALB, elb.TargetIP}[id]
		})
		g.Check.Interval = int32(5 + r.IntN(3))
		return "group" + g.ID, g
	case 7:
		n := r.IntN(3)
		return fmt.Sprint("machine", n), &lower.Machine{Home: home, Instance: fmt.Sprint("i-", n), Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(5))})}
	}
	t := &elb.Target{Home: home, Group: fmt.Sprint("g", r.IntN(5)), Place: pick(r, append(zones, "")...)}
	t.TargetKey = elb.TargetKey{ID: pick(r, fmt.Sprint("10.0.0.", r.IntN(6)), fmt.Sprint("i-", r.IntN(3)), full.ARN()), Port: int32(1 + r.IntN(2))}
	if r.IntN(4) == 0 {
		t.DrainingSince = t.DrainingSince.AddDate(1, 0, 0)
	}
	return fmt.Sprint("target", t.Group, t.ID, t.Port), t
}

// step changes, makes or deletes a record.
func (b books) step(r *rand.Rand) lower.Change {
	key, rec := b.random(r)
	was := b[key]
	if was != nil && r.IntN(5) == 0 {
		delete(b, key)
		return lower.Change{Old: was}
	}
	b[key] = rec
	return lower.Change{Old: was, New: rec}
}

// What changes come to is what the records make, at each step; and a target's change makes its group's endpoints alone.
func TestIndexIsWhatTheRecordsMake(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		b, x, told := books{}, lower.New(), newState()
		for n := range 300 {
			var changes []lower.Change
			for range 1 + r.IntN(2)*r.IntN(3) {
				changes = append(changes, b.step(r))
			}
			before := x.Work()
			told.apply(t, x.Apply(changes...))
			affordable(t, changes, before, x.Work())
			if n%3 == 0 {
				fresh, want := lower.New(), newState()
				want.apply(t, fresh.Load(maps.Values(b)))
				if !reflect.DeepEqual(told, want) {
					t.Fatalf("seed %d, step %d: told\n%+v\nwant\n%+v", seed, n, told, want)
				}
				told.consistent(t)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d: %+v", seed, n, changes)
			}
		}
		if n := len(told.parts) + len(told.endpoints); n == 0 && seed == 0 {
			t.Error("nothing was told at the end")
		}
		var gone []lower.Change
		for _, rec := range b {
			gone = append(gone, lower.Change{Old: rec})
		}
		told.apply(t, x.Apply(gone...))
		if !reflect.DeepEqual(told, newState()) {
			t.Errorf("seed %d: without records there is %+v", seed, told)
		}
		if left := x.Held(); left != 0 {
			t.Errorf("seed %d: without records the index holds %d things", seed, left)
		}
	}
}

// affordable says whether a change cost what it touches.
func affordable(t *testing.T, changes []lower.Change, before, after lower.Work) {
	t.Helper()
	targets := !slices.ContainsFunc(changes, func(c lower.Change) bool {
		rec := c.New
		if rec == nil {
			rec = c.Old
		}
		_, ok := rec.(*elb.Target)
		return !ok
	})
	const pools = 6 // of a group, at most: each zone alone, and the first zones of a load balancer together
	if targets && (after.Parts != before.Parts || after.Endpoints-before.Endpoints > pools*len(changes)) {
		t.Errorf("targets alone change, and %d parts and %d endpoints are made", after.Parts-before.Parts, after.Endpoints-before.Endpoints)
	}
}

// With a thousand load balancers and groups a change costs what it costs with one.
func TestChangeCostsWhatItTouches(t *testing.T) {
	x := lower.New()
	const many = 1000
	var all []lower.Change
	put := func(rec any) { all = append(all, lower.Change{New: rec}) }
	for n := range many {
		l := &elb.LoadBalancer{Home: home, ID: fmt.Sprint("lb", n), Name: "n", Type: elb.TypeApplication, Zones: []elb.Zone{{Name: zones[0]}, {Name: zones[1]}}}
		put(l)
		put(&elb.LoadBalancerStatus{Home: home, LoadBalancer: l.ID, Nodes: []elb.Node{{Zone: zones[0], Machine: "m1", Interface: "eni-0"}, {Zone: zones[1], Machine: "m2", Interface: "eni-1"}}})
		put(&elb.Listener{Home: home, LoadBalancer: l.ID, ID: "l", Port: 443, Protocol: elb.HTTPS, Certificate: "arn:shared", Default: forward(elb.Weighted{Group: fmt.Sprint("g", n), Weight: 1})})
		put(group(fmt.Sprint("g", n), nil))
		put(&elb.Target{Home: home, Group: fmt.Sprint("g", n), TargetKey: elb.TargetKey{ID: "10.0.0.1", Port: 80}, Place: zones[0]})
	}
	d := x.Apply(all...)
	if len(d.Parts) != 2*many || len(d.Endpoints) != many || len(d.Secrets) != 1 {
		t.Fatalf("%d parts, %d endpoints, %d secrets", len(d.Parts), len(d.Endpoints), len(d.Secrets))
	}
	cost := func(rec any) lower.Work {
		before := x.Work()
		x.Apply(lower.Change{New: rec})
		after := x.Work()
		return lower.Work{Parts: after.Parts - before.Parts, Endpoints: after.Endpoints - before.Endpoints}
	}
	for what, c := range map[string]struct{ got, want lower.Work }{
		"a target":       {cost(&elb.Target{Home: home, Group: "g7", TargetKey: elb.TargetKey{ID: "10.0.0.2", Port: 80}, Place: zones[0]}), lower.Work{Endpoints: 1}},
		"a rule":         {cost(&elb.Rule{Home: home, LoadBalancer: "lb7", Listener: "l", ID: "r", Priority: 1, Actions: forward(elb.Weighted{Group: "g7", Weight: 1})}), lower.Work{Parts: 2}},
		"another health": {cost(&elb.TargetHealth{Home: home, Group: "g7"}), lower.Work{}},
		"an attribute":   {cost(&elb.Attributes{Home: home, Of: group("g7", nil).ARN(), Values: map[string]string{elb.AttrSlowStart: "30"}}), lower.Work{Parts: 2}},
	} {
		if c.got != c.want {
			t.Errorf("%s costs %+v, want %+v", what, c.got, c.want)
		}
	}
}

func FuzzPart(f *testing.F) {
	f.Add("/a*?", "x-h", "^(", "HTTP_301", "300", "off")
	f.Fuzz(func(t *testing.T, glob, header, regex, status, number, odd string) {
		b := application()
		b.Attributes = map[string]string{elb.AttrIdleTimeout: number, elb.AttrAccessLogs: "true", elb.AttrAccessBucket: glob, elb.AttrAccessPrefix: odd, elb.AttrForwardedFor: odd}
		rules := b.Listeners[1].Rules
		rules[0].Conditions = append(rules[0].Conditions, elb.Condition{Field: odd, Header: header, Values: []string{glob, number}, Regex: []string{regex}})
		rules[0].Conditions = append(rules[0].Conditions, elb.Condition{Field: "source-ip", Values: []string{odd}})
		rules[0].Actions = []elb.Action{{Type: odd, Redirect: &elb.Redirect{Status: status, Path: glob}}}
		p := b.Part(node)
		if len(p.Listeners) != 2 || len(p.Listeners[1].HTTP.Routes) != len(rules)+1 {
			t.Errorf("%+v", p)
		}
		for _, l := range p.Listeners {
			if l.Logs != "" && (l.Logs[0] == '/' || slices.Contains(strings.Split(l.Logs, "/"), "..")) {
				t.Errorf("logs go to %q", l.Logs)
			}
		}
	})
}
