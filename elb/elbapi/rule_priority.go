package elbapi

import (
	"context"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// perListener is how many keys a transaction compares for a listener whose rules it changes: its own, its load balancer's and that of its changes.
const perListener = 3

// SetRulePriorities gives rules other priorities, all at once: they may swap them.
func (a *API) SetRulePriorities(ctx context.Context, c wire.Call, in *shape.SetRulePrioritiesInput) (*shape.SetRulePrioritiesOutput, error) {
	if n := len(in.RulePriorities); n > maxPriorities {
		return nil, elb.Invalid("The priorities of at most %d rules can be set at once, not of %d", maxPriorities, n)
	}
	out := &shape.SetRulePrioritiesOutput{}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		out.Rules = nil
		touched := map[string]*elb.Listener{}
		for _, p := range in.RulePriorities {
			if err := checkPriority(aws.Val(p.Priority)); err != nil {
				return err
			}
			b, l, was, err := tables.Rule(tx, home(c), aws.Val(p.RuleArn))
			if err != nil {
				return err
			}
			if was.Priority == 0 {
				return elb.Errorf(shape.CodeOperationNotPermittedException, "The priority of the default rule '%s' cannot be changed", aws.Val(p.RuleArn))
			}
			if touched[l.ID] == nil {
				tables.Touch(tx, l.Home, l.ID)
				touched[l.ID] = l
			}
			if len(in.RulePriorities)+perListener*len(touched) > store.MaxGuards {
				return elb.Invalid("The priorities of %d rules of so many listeners cannot be set at once: set those of each listener by themselves", len(in.RulePriorities))
			}
			r := *was
			r.Priority = *p.Priority
			tables.Rules.Put(tx, &r)
			out.Rules = append(out.Rules, namesOf(tx, b).Rule(&r))
		}
		return unique(tx, touched)
	})
	return out, err
}

// unique says which priority two rules of a listener have.
func unique(tx store.Tx, all map[string]*elb.Listener) error {
	for _, l := range all {
		seen := map[int32]bool{}
		for _, r := range tables.RulesIn(tx, l) {
			if seen[r.Priority] {
				return elb.Errorf(shape.CodePriorityInUseException, "Priority '%d' is currently in use", r.Priority)
			}
			seen[r.Priority] = true
		}
	}
	return nil
}
