package tables

import (
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/store"
)

// Forwards are the target groups that the forward action of a rule, or of a listener's default rule, leads to, with their weights. The ARN is the
// rule's or, for its default one, the listener's. The rule is compared with its load balancer and listener.
func Forwards(tx store.Tx, h elb.Home, arn string) ([]elb.Weighted, error) {
	_, actions, err := actionsOf(tx, h, arn)
	if err != nil {
		return nil, err
	}
	if i := forward(actions); i >= 0 {
		return slices.Clone(actions[i].Groups), nil
	}
	return nil, nil
}

// Shift gives weights to target groups that a rule's forward action leads to (see Forwards), and leaves those of the others. A group that it does not
// lead to is AWS's error, and nothing is written. It writes the rule or listener.
func Shift(tx store.Tx, h elb.Home, arn string, to []elb.Weighted) error {
	put, actions, err := actionsOf(tx, h, arn)
	if err != nil {
		return err
	}
	i := forward(actions)
	if i < 0 {
		return elb.Errorf(elb.CodeValidation, "The rule '%s' does not forward to target groups", arn)
	}
	next := slices.Clone(actions)
	next[i].Groups = slices.Clone(actions[i].Groups)
	for _, w := range to {
		at := slices.IndexFunc(next[i].Groups, func(g elb.Weighted) bool { return g.Group == w.Group })
		switch {
		case at < 0:
			return elb.Errorf(elb.CodeValidation, "The rule '%s' does not forward to target group '%s'", arn, w.Group)
		case w.Weight < 0 || w.Weight > maxWeight:
			return elb.Errorf(elb.CodeValidation, "The weight of a target group must be between 0 and %d", maxWeight)
		}
		next[i].Groups[at].Weight = w.Weight
	}
	if !slices.Equal(next[i].Groups, actions[i].Groups) {
		put(next)
	}
	return nil
}

const maxWeight = 999

func forward(actions []elb.Action) int {
	return slices.IndexFunc(actions, func(a elb.Action) bool { return len(a.Groups) > 0 })
}

// actionsOf are the actions of a rule, or of a listener's default one, and what writes others in their place.
func actionsOf(tx store.Tx, h elb.Home, arn string) (put func([]elb.Action), actions []elb.Action, err error) {
	var l *elb.Listener
	if _, kind, _, _ := elb.ParseARN(arn); kind == "listener" {
		_, l, err = Listener(tx, h, arn)
	} else {
		var r *elb.Rule
		if _, l, r, err = Rule(tx, h, arn); err == nil && r.Priority != 0 {
			return func(to []elb.Action) {
				next := *r
				next.Actions = to
				Rules.Put(tx, &next)
			}, r.Actions, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return func(to []elb.Action) {
		next := *l
		next.Default = to
		Listeners.Put(tx, &next)
	}, l.Default, nil
}
