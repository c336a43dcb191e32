package elbapi

import (
	"context"
	"fmt"
	"slices"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// maxPriority is the greatest priority of a rule.
const maxPriority = 50000

// CreateRule makes a rule of a listener.
func (a *API) CreateRule(ctx context.Context, c wire.Call, in *shape.CreateRuleInput) (*shape.CreateRuleOutput, error) {
	pairs, err := elb.MergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if len(in.Transforms) > 0 {
		return nil, elb.Unserved("Transforms are")
	}
	if err := checkPriority(aws.Val(in.Priority)); err != nil {
		return nil, err
	}
	conditions, err := elb.Conditions(in.Conditions)
	if err != nil {
		return nil, err
	}
	out := &shape.CreateRuleOutput{}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		b, l, err := tables.Listener(tx, home(c), aws.Val(in.ListenerArn))
		if err != nil {
			return err
		}
		r := &elb.Rule{
			Home: l.Home, LoadBalancer: l.LoadBalancer, Listener: l.ID, ID: tx.NewID()[:16], Priority: aws.Val(in.Priority), Conditions: conditions,
			CreatedAt: tx.Now(),
		}
		if err := a.setRule(tx, b, l, r, in.Actions); err != nil {
			return err
		}
		if tables.RulesByLoadBalancer.Count(tx, tables.Key(b.Home, b.ID)) > maxRules {
			return elb.Errorf(shape.CodeTooManyRulesException, "The maximum number of rules for the load balancer has been reached: %d", maxRules)
		}
		tables.PutTags(tx, &elb.Tags{Home: r.Home, Of: b.RuleARN(l.ID, r.ID), Pairs: pairs})
		out.Rules = []shape.Rule{namesOf(tx, b).Rule(r)}
		return nil
	})
	return out, err
}

func checkPriority(p int32) error {
	if p < 1 || p > maxPriority {
		return elb.Invalid("The priority '%d' must be between 1 and %d", p, maxPriority)
	}
	return nil
}

// setRule gives a rule its actions and writes it. Whoever writes rules of the load balancer does so one after the other.
func (a *API) setRule(tx store.Tx, b *elb.LoadBalancer, l *elb.Listener, r *elb.Rule, actions []shape.Action) error {
	if b.Type == elb.TypeNetwork {
		return elb.Errorf(shape.CodeOperationNotPermittedException, "Rules are unsupported for this load balancer type")
	}
	tables.Touch(tx, b.Home, b.ID)
	tables.Touch(tx, l.Home, l.ID)
	for _, o := range tables.RulesIn(tx, l) {
		if o.ID != r.ID && o.Priority == r.Priority {
			return elb.Errorf(shape.CodePriorityInUseException, "Priority '%d' is currently in use", r.Priority)
		}
	}
	wish, err := b.Actions(actions)
	if err != nil {
		return err
	}
	if r.Actions, err = a.resolve(tx, b, l.Protocol, wish); err != nil {
		return err
	}
	tables.Rules.Put(tx, r)
	return nil
}

// ModifyRule gives a rule other conditions or actions.
func (a *API) ModifyRule(ctx context.Context, c wire.Call, in *shape.ModifyRuleInput) (*shape.ModifyRuleOutput, error) {
	if len(in.Transforms) > 0 {
		return nil, elb.Unserved("Transforms are")
	}
	if len(in.Conditions) == 0 && len(in.Actions) == 0 && in.ResetTransforms == nil {
		return nil, elb.Invalid("You must specify conditions or actions")
	}
	out := &shape.ModifyRuleOutput{}
	err := a.store.Update(ctx, func(tx store.Tx) error {
		b, l, was, err := tables.Rule(tx, home(c), aws.Val(in.RuleArn))
		if err != nil {
			return err
		}
		if was.Priority == 0 {
			return elb.Errorf(shape.CodeOperationNotPermittedException, "Default rule '%s' cannot be modified", aws.Val(in.RuleArn))
		}
		r := *was
		if len(in.Conditions) > 0 {
			if r.Conditions, err = elb.Conditions(in.Conditions); err != nil {
				return err
			}
		}
		if len(in.Actions) > 0 {
			err = a.setRule(tx, b, l, &r, in.Actions)
		} else {
			tables.Rules.Put(tx, &r)
		}
		out.Rules = []shape.Rule{namesOf(tx, b).Rule(&r)}
		return err
	})
	return out, err
}

// DeleteRule takes a rule away.
func (a *API) DeleteRule(ctx context.Context, c wire.Call, in *shape.DeleteRuleInput) (*shape.DeleteRuleOutput, error) {
	return &shape.DeleteRuleOutput{}, a.store.Update(ctx, func(tx store.Tx) error {
		b, _, r, err := tables.Rule(tx, home(c), aws.Val(in.RuleArn))
		if err != nil {
			return err
		}
		if r.Priority == 0 {
			return elb.Errorf(shape.CodeOperationNotPermittedException, "Default rule '%s' cannot be deleted", aws.Val(in.RuleArn))
		}
		tables.DropRule(tx, b, r)
		return nil
	})
}

// DescribeRules answers rules of some ARNs, or a page of those of a listener in the order in which they are tried.
func (a *API) DescribeRules(ctx context.Context, c wire.Call, in *shape.DescribeRulesInput) (*shape.DescribeRulesOutput, error) {
	of := aws.Val(in.ListenerArn)
	if (of == "") == (len(in.RuleArns) == 0) {
		return nil, elb.Invalid("You must specify either listener rule ARNs or a listener ARN")
	}
	out := &shape.DescribeRulesOutput{Rules: []shape.Rule{}}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		rows, err := rules(tx, home(c), of, in.RuleArns)
		if err != nil {
			return err
		}
		list := ordered(rows)
		if of != "" {
			list = keyed(rows, priorityKey)
		}
		out.Rules, out.NextMarker, err = wire.Page(page(in.Marker, in.PageSize, "DescribeRules", home(c), of, in.RuleArns), list)
		return err
	})
	return out, err
}

// priorityKey puts rules in the order in which they are tried; "default" comes after digits.
func priorityKey(r shape.Rule) string { return fmt.Sprintf("%6s", *r.Priority) }

func rules(tx store.Tx, h elb.Home, of string, arns []string) ([]shape.Rule, error) {
	var rows []shape.Rule
	for _, arn := range arns {
		b, _, r, err := tables.Rule(tx, h, arn)
		if err != nil {
			return nil, err
		}
		rows = append(rows, namesOf(tx, b).Rule(r))
	}
	if of == "" {
		return rows, nil
	}
	b, l, err := tables.Listener(tx, h, of)
	if err != nil {
		return nil, err
	}
	var all []*elb.Rule
	for _, r := range tables.RulesIn(tx, l) {
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y *elb.Rule) int { return int(x.Priority - y.Priority) })
	for _, r := range append(all, l.DefaultRule()) {
		rows = append(rows, namesOf(tx, b).Rule(r))
	}
	return rows, nil
}
