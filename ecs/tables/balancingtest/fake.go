// Package balancingtest has load balancing in memory for the tests of what starts and ends tasks, and the conformance suite of the port that it
// implements.
package balancingtest

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/target"
	"github.com/berth-ecs/berth/store"
)

// Group is a target group of the double.
type Group struct {
	ecs.Home
	target.Group
	Delay   time.Duration // of deregistration
	Refuses bool          // it takes no target
}

// Target is a target of the double.
type Target struct {
	target.Status
}

// Rule is a rule of the double.
type Rule struct {
	ecs.Home
	ARN string
	To  []target.Weight
}

// The tables of the double.
var (
	Groups = store.Define(store.Def[Group]{Name: "balancingtest.group", Version: 1,
		Key: func(g *Group) string { return tables.At(g.Home).Key(last(g.ARN)) }})
	Targets = store.Define(store.Def[Target]{Name: "balancingtest.target", Version: 1,
		Key: func(t *Target) string { return targetKey(t.Target) }})
	Rules = store.Define(store.Def[Rule]{Name: "balancingtest.rule", Version: 1,
		Key: func(r *Rule) string { return tables.At(r.Home).Key(last(r.ARN)) }})
)

// Schema is every table of the double.
func Schema() store.Schema { return store.Schema{Groups, Targets, Rules} }

// ARN names a target group of the double by its name.
func ARN(h ecs.Home, name string) string {
	return "arn:aws:elasticloadbalancing:" + h.Region + ":" + h.Account + ":targetgroup/" + name + "/" + name
}

// RuleARN names a rule of the double.
func RuleARN(h ecs.Home, name string) string {
	return "arn:aws:elasticloadbalancing:" + h.Region + ":" + h.Account + ":listener-rule/app/lb/1/2/" + name
}

func last(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func targetKey(t target.Target) string {
	return tables.At(t.Home).Key(last(t.Group), t.ID, strconv.Itoa(int(t.Port)))
}

// Make makes a target group that a load balancer leads to, by ip or by instance.
func Make(tx store.Tx, h ecs.Home, name, kind string) *Group {
	g := &Group{Home: h, Delay: 300 * time.Second, Group: target.Group{
		ARN: ARN(h, name), Type: kind, Protocol: "HTTP", Port: 80, VPC: "vpc-1", Balanced: true}}
	Groups.Put(tx, g)
	return g
}

// See makes a load balancer see a target, as it then is.
func See(tx store.Tx, t target.Target, state, reason, description string) {
	if was, ok := Targets.Get(tx, targetKey(t)); ok && !was.Draining() {
		next := *was
		next.State, next.Reason, next.Description, next.Since = state, reason, description, tx.Now()
		Targets.Put(tx, &next)
	}
}

// SeeAll makes load balancers see every target that is registered, as it then is.
func SeeAll(tx store.Tx, state, reason, description string) {
	for _, t := range slices.Collect(Balancing{}.Targets(tx, "")) {
		See(tx, t.Target, state, reason, description)
	}
}

// Drain lets nothing be in flight any more of the targets that drain.
func Drain(tx store.Tx) {
	for _, t := range slices.Collect(Balancing{}.Targets(tx, "")) {
		if t.Draining() {
			Targets.Delete(tx, targetKey(t.Target))
		}
	}
}

// Balancing is load balancing in memory.
type Balancing struct{}

var _ tables.Balancing = Balancing{}

func group(tx store.Tx, h ecs.Home, arn string) (*Group, bool) {
	g, ok := Groups.Get(tx, tables.At(h).Key(last(arn)))
	return g, ok && g.ARN == arn
}

// TargetGroup implements tables.Balancing.
func (Balancing) TargetGroup(tx store.Tx, h ecs.Home, arn string) (target.Group, bool) {
	g, ok := group(tx, h, arn)
	if !ok {
		return target.Group{}, false
	}
	return g.Group, true
}

// Register implements tables.Balancing.
func (Balancing) Register(tx store.Tx, t target.Target) error {
	g, ok := group(tx, t.Home, t.Group)
	switch was, there := Targets.Get(tx, targetKey(t)); {
	case !ok:
		return errors.New("no such target group")
	case there && was.Task == t.Task && !was.Draining():
		return nil
	case g.Refuses:
		return errors.New("the target group is full")
	}
	Targets.Put(tx, &Target{target.Status{Target: t, State: target.Initial, Reason: "Elb.RegistrationInProgress", Since: tx.Now()}})
	return nil
}

// Deregister implements tables.Balancing.
func (Balancing) Deregister(tx store.Tx, t target.Target) {
	was, ok := Targets.Get(tx, targetKey(t))
	if !ok || was.Task != t.Task || was.Draining() {
		return
	}
	next := *was
	next.State, next.Reason, next.Since, next.Until = target.Draining, "Target.DeregistrationInProgress", tx.Now(), tx.Now()
	if g, ok := group(tx, t.Home, t.Group); ok {
		next.Until = tx.Now().Add(g.Delay)
	}
	Targets.Put(tx, &next)
}

// Targets implements tables.Balancing.
func (Balancing) Targets(tx store.Tx, task string) iter.Seq[target.Status] {
	return func(yield func(target.Status) bool) {
		for _, t := range Targets.List(tx, "", "") {
			if t.Task != "" && (task == "" || t.Task == task) && !yield(t.Status) {
				return
			}
		}
	}
}

// Shift implements tables.Balancing.
func (Balancing) Shift(tx store.Tx, h ecs.Home, rule string, to []target.Weight) error {
	r, ok := Rules.Get(tx, tables.At(h).Key(last(rule)))
	if !ok {
		return errors.New("no such rule")
	}
	next := *r
	next.To = slices.Clone(r.To)
	for _, w := range to {
		i := slices.IndexFunc(next.To, func(o target.Weight) bool { return o.Group == w.Group })
		if i < 0 {
			return errors.New("the rule does not lead to " + w.Group)
		}
		next.To[i] = w
	}
	Rules.Put(tx, &next)
	return nil
}

// Weights implements tables.Balancing.
func (Balancing) Weights(tx store.Tx, h ecs.Home, rule string) ([]target.Weight, bool) {
	r, ok := Rules.Get(tx, tables.At(h).Key(last(rule)))
	if !ok {
		return nil, false
	}
	return slices.Clone(r.To), true
}

// Watched implements tables.Balancing.
func (Balancing) Watched() []string { return []string{Groups.Name(), Targets.Name()} }

// Concerns implements tables.Balancing.
func (Balancing) Concerns(_ store.Tx, c store.Change) (tasks, groups []string) {
	if old, now, ok := Targets.Of(c); ok {
		for _, t := range []*Target{old, now} {
			if t != nil && t.Task != "" {
				tasks = append(tasks, t.Task)
			}
		}
	}
	if old, now, ok := Groups.Of(c); ok {
		for _, g := range []*Group{old, now} {
			if g != nil {
				groups = append(groups, g.ARN)
			}
		}
	}
	return tasks, groups
}
