package elbapi

import (
	"fmt"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func pathOf(p string) []shape.RuleCondition {
	return []shape.RuleCondition{{Field: aws.Ptr("path-pattern"), Values: []string{p}}}
}

// rule makes a rule that sends a path of its own to a group.
func (w *world) rule(l shape.Listener, priority int32, group string) shape.Rule {
	w.Helper()
	return must(w, shape.OpCreateRule, w.api.CreateRule, &shape.CreateRuleInput{
		ListenerArn: l.ListenerArn, Priority: &priority, Conditions: pathOf(fmt.Sprint("/", priority)), Actions: forwardTo(group),
		Tags: []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}},
	}).Rules[0]
}

func (w *world) priorities(l shape.Listener) string {
	w.Helper()
	var all strings.Builder
	for _, r := range must(w, shape.OpDescribeRules, w.api.DescribeRules, &shape.DescribeRulesInput{ListenerArn: l.ListenerArn}).Rules {
		all.WriteString(*r.Priority + " ")
	}
	return all.String()
}

func TestRules(t *testing.T) {
	w := newWorld(t)
	l := w.balancer("web")
	a, b := w.groupRecord("a", "HTTP", "vpc-1"), w.groupRecord("b", "HTTP", "vpc-1")
	i := w.listener(l, 80, notFound)
	two, ten := w.rule(i, 2, a), w.rule(i, 10, a)
	if *two.IsDefault || *two.Priority != "2" || two.Conditions[0].Values[0] != "/2" || two.Conditions[0].PathPatternConfig.Values[0] != "/2" || *two.Actions[0].TargetGroupArn != a {
		t.Errorf("made: %+v", two)
	}
	if got := w.priorities(i); got != "2 10 default " {
		t.Errorf("rules %s", got)
	}
	create := func(in shape.CreateRuleInput, want string) {
		t.Helper()
		in.ListenerArn = i.ListenerArn
		if in.Priority == nil {
			in.Priority = aws.Ptr[int32](3)
		}
		if in.Actions == nil {
			in.Actions = notFound
		}
		if in.Conditions == nil {
			in.Conditions = pathOf("/x")
		}
		fails(w, shape.OpCreateRule, w.api.CreateRule, &in, want)
	}
	create(shape.CreateRuleInput{Priority: aws.Ptr[int32](10)}, "PriorityInUse: Priority '10' is currently in use")
	create(shape.CreateRuleInput{Priority: aws.Ptr[int32](50001)}, "ValidationError: between 1 and 50000")
	create(shape.CreateRuleInput{Conditions: []shape.RuleCondition{}}, "ValidationError: A condition must be specified")
	create(shape.CreateRuleInput{Actions: []shape.Action{}}, "ValidationError: You must specify an action")
	create(shape.CreateRuleInput{Transforms: []shape.RuleTransform{{}}}, "OperationNotPermitted: Transforms are not supported")
	n := w.network("tcp")
	tcp := w.listener(n, 80, forwardTo(w.groupRecord("c", "TCP", "vpc-1")))
	fails(w, shape.OpCreateRule, w.api.CreateRule, &shape.CreateRuleInput{ListenerArn: tcp.ListenerArn, Priority: aws.Ptr[int32](1), Actions: forwardTo(a), Conditions: pathOf("/x")},
		"OperationNotPermitted: Rules are unsupported")

	out := must(w, shape.OpModifyRule, w.api.ModifyRule, &shape.ModifyRuleInput{RuleArn: two.RuleArn, Actions: forwardTo(b)})
	if *out.Rules[0].Actions[0].TargetGroupArn != b || out.Rules[0].Conditions[0].Values[0] != "/2" {
		t.Errorf("modified: %+v", out)
	}
	swap := func(x, y int32) *shape.SetRulePrioritiesInput {
		return &shape.SetRulePrioritiesInput{RulePriorities: []shape.RulePriorityPair{{RuleArn: two.RuleArn, Priority: &x}, {RuleArn: ten.RuleArn, Priority: &y}}}
	}
	must(w, shape.OpSetRulePriorities, w.api.SetRulePriorities, swap(10, 2))
	fails(w, shape.OpSetRulePriorities, w.api.SetRulePriorities, swap(7, 7), "PriorityInUse: Priority '7' is currently in use")
	if got := must(w, shape.OpDescribeRules, w.api.DescribeRules, &shape.DescribeRulesInput{RuleArns: []string{*two.RuleArn}}); *got.Rules[0].Priority != "10" {
		t.Errorf("after the swap: %+v", got)
	}
	all := must(w, shape.OpDescribeRules, w.api.DescribeRules, &shape.DescribeRulesInput{ListenerArn: i.ListenerArn}).Rules
	last := all[len(all)-1]
	if !*last.IsDefault || *last.Actions[0].FixedResponseConfig.StatusCode != "404" {
		t.Errorf("default: %+v", last)
	}
	must(w, shape.OpDescribeRules, w.api.DescribeRules, &shape.DescribeRulesInput{RuleArns: []string{*last.RuleArn}})
	fails(w, shape.OpDeleteRule, w.api.DeleteRule, &shape.DeleteRuleInput{RuleArn: last.RuleArn}, "OperationNotPermitted: Default rule")
	fails(w, shape.OpModifyRule, w.api.ModifyRule, &shape.ModifyRuleInput{RuleArn: last.RuleArn, Actions: notFound}, "OperationNotPermitted: Default rule")
	must(w, shape.OpDeleteRule, w.api.DeleteRule, &shape.DeleteRuleInput{RuleArn: two.RuleArn})
	fails(w, shape.OpDeleteRule, w.api.DeleteRule, &shape.DeleteRuleInput{RuleArn: two.RuleArn}, "RuleNotFound: One or more rules not found")
	w.rule(i, 10, b) // the priority is free
	var marker *string
	var said strings.Builder
	for {
		out := must(w, shape.OpDescribeRules, w.api.DescribeRules, &shape.DescribeRulesInput{ListenerArn: i.ListenerArn, PageSize: aws.Ptr[int32](1), Marker: marker})
		said.WriteString(*out.Rules[0].Priority + " ")
		if marker = out.NextMarker; marker == nil {
			break
		}
	}
	if said.String() != "2 10 default " {
		t.Errorf("by pages: %s", said.String())
	}
}

// Rules of several listeners change priorities at once, as many as one transaction has room for.
func TestPrioritiesOfSeveralListeners(t *testing.T) {
	w := newWorld(t)
	l := w.balancer("web")
	a := w.groupRecord("a", "HTTP", "vpc-1")
	var in shape.SetRulePrioritiesInput
	add := func(listeners, each int32) {
		for range listeners {
			i := w.listener(l, int32(1000+len(in.RulePriorities)), notFound)
			for n := range each {
				in.RulePriorities = append(in.RulePriorities, shape.RulePriorityPair{RuleArn: w.rule(i, n+1, a).RuleArn, Priority: aws.Ptr(n + 100)})
			}
		}
	}
	add(1, 72)
	add(5, 1)
	must(w, shape.OpSetRulePriorities, w.api.SetRulePriorities, &in)
	add(3, 1)
	fails(w, shape.OpSetRulePriorities, w.api.SetRulePriorities, &in, "ValidationError: set those of each listener by themselves")
}
