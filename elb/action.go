package elb

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Kinds of actions.
const (
	ActionForward  = "forward"
	ActionRedirect = "redirect"
	ActionFixed    = "fixed-response"
)

// Limits of actions.
const (
	MaxForward = 5   // target groups of a forward action
	maxWeight  = 999 // of a target group in one
	maxSticky  = 604800
)

// Actions are what a request asks for; the Group of each Weighted is an ARN still. There is one: those that come before it are not served yet.
func (l *LoadBalancer) Actions(in []shape.Action) ([]Action, error) {
	if len(in) == 0 {
		return nil, Invalid("You must specify an action")
	}
	var out []Action
	for _, a := range in {
		one, err := l.action(a)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	if len(out) > 1 {
		return nil, noAction("Exactly one of 'forward', 'redirect' and 'fixed-response' must be specified, as the last action")
	}
	return out, nil
}

func noAction(format string, args ...any) error {
	return Errorf(shape.CodeInvalidLoadBalancerActionException, format, args...)
}

func (l *LoadBalancer) action(in shape.Action) (a Action, err error) {
	a = Action{Type: aws.Val(in.Type), Order: aws.Val(in.Order)}
	if l.Type == TypeNetwork && a.Type != ActionForward {
		return a, noAction("The action type '%s' is not valid with a Network Load Balancer", a.Type)
	}
	switch a.Type {
	case ActionForward:
		err = l.forward(&a, in)
	case ActionRedirect:
		a.Redirect, err = redirect(in.RedirectConfig)
	case ActionFixed:
		a.Fixed, err = fixed(in.FixedResponseConfig)
	case "authenticate-oidc", "authenticate-cognito", "jwt-validation":
		return a, Unserved("Actions of type '%s' are", a.Type)
	default:
		return a, noAction("The action type '%s' is not valid", a.Type)
	}
	return a, err
}

// weigh takes groups with their weights; only is a group that was named beside them, or "".
func (a *Action) weigh(groups []shape.TargetGroupTuple, only string) error {
	for _, g := range groups {
		w := Weighted{Group: aws.Val(g.TargetGroupArn), Weight: 1}
		if g.Weight != nil {
			w.Weight = *g.Weight
		}
		if w.Weight < 0 || w.Weight > maxWeight {
			return Invalid("The weight '%d' must be between 0 and %d", w.Weight, maxWeight)
		}
		if slices.ContainsFunc(a.Groups, func(o Weighted) bool { return o.Group == w.Group }) {
			return noAction("The target group '%s' is specified more than once", w.Group)
		}
		a.Groups = append(a.Groups, w)
	}
	if only != "" && (len(a.Groups) != 1 || a.Groups[0].Group != only) {
		return Invalid("The target group of an action must be the only one of its forward configuration when both are specified")
	}
	return nil
}

func (l *LoadBalancer) forward(a *Action, in shape.Action) error {
	c := in.ForwardConfig
	if c == nil || len(c.TargetGroups) == 0 {
		if aws.Val(in.TargetGroupArn) == "" {
			return noAction("A target group must be specified for a forward action")
		}
		a.Groups = []Weighted{{Group: *in.TargetGroupArn, Weight: 1}}
	} else if err := a.weigh(c.TargetGroups, aws.Val(in.TargetGroupArn)); err != nil {
		return err
	}
	if len(a.Groups) > MaxForward {
		return Errorf(shape.CodeTooManyTargetGroupsException, "The maximum number of target groups in a forward action is '%d'", MaxForward)
	}
	if c != nil && c.TargetGroupStickinessConfig != nil && aws.Val(c.TargetGroupStickinessConfig.Enabled) {
		return l.sticky(a, aws.Val(c.TargetGroupStickinessConfig.DurationSeconds))
	}
	return nil
}

func (l *LoadBalancer) sticky(a *Action, seconds int32) error {
	switch {
	case l.Type == TypeNetwork:
		return noAction("Target group stickiness is not valid with a Network Load Balancer")
	case seconds < 1 || seconds > maxSticky:
		return noAction("The target group stickiness duration must be between 1 and %d seconds", maxSticky)
	}
	a.Sticky = seconds
	return nil
}

// redirect fills in what stays as it was.
func redirect(c *shape.RedirectActionConfig) (*Redirect, error) {
	if c == nil {
		return nil, noAction("A redirect configuration must be specified for a redirect action")
	}
	r := &Redirect{
		Protocol: cmp.Or(aws.Val(c.Protocol), "#{protocol}"), Host: cmp.Or(aws.Val(c.Host), "#{host}"), Port: cmp.Or(aws.Val(c.Port), "#{port}"),
		Path: cmp.Or(aws.Val(c.Path), "/#{path}"), Query: "#{query}", Status: aws.Val(c.StatusCode),
	}
	if c.Query != nil {
		r.Query = *c.Query
	}
	port, err := strconv.Atoi(r.Port)
	switch {
	case !slices.Contains([]string{HTTP, HTTPS, "#{protocol}"}, r.Protocol):
		return nil, noAction("The redirect protocol '%s' must be one of 'HTTP', 'HTTPS' and '#{protocol}'", r.Protocol)
	case r.Port != "#{port}" && (err != nil || port < 1 || port > 65535):
		return nil, noAction("The redirect port '%s' must be between 1 and 65535 or '#{port}'", r.Port)
	case !strings.HasPrefix(r.Path, "/"):
		return nil, noAction("The redirect path '%s' must begin with '/'", r.Path)
	case r.Status != "HTTP_301" && r.Status != "HTTP_302":
		return nil, noAction("The redirect status code '%s' must be one of 'HTTP_301' and 'HTTP_302'", r.Status)
	case strings.ContainsFunc(r.Host+r.Path+r.Query, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		return nil, noAction("The redirect configuration has characters that are not valid in a URL")
	case r.Protocol == "#{protocol}" && r.Host == "#{host}" && r.Port == "#{port}" && r.Path == "/#{path}":
		return nil, noAction("The redirect configuration is not valid because it creates a loop.")
	}
	return r, nil
}

var (
	fixedStatus = regexp.MustCompile(`^[245][0-9][0-9]$`)
	fixedTypes  = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
)

func fixed(c *shape.FixedResponseActionConfig) (*Fixed, error) {
	if c == nil {
		return nil, noAction("A fixed response configuration must be specified for a fixed-response action")
	}
	f := &Fixed{Status: aws.Val(c.StatusCode), ContentType: aws.Val(c.ContentType), Body: aws.Val(c.MessageBody)}
	switch {
	case !fixedStatus.MatchString(f.Status):
		return nil, noAction("The fixed response status code '%s' must be 2XX, 4XX or 5XX", f.Status)
	case f.ContentType != "" && !slices.Contains(fixedTypes, f.ContentType):
		return nil, noAction("The fixed response content type '%s' must be one of '%s'", f.ContentType, strings.Join(fixedTypes, "', '"))
	case len(f.Body) > maxText:
		return nil, noAction("The fixed response message body cannot be longer than %d characters", maxText)
	}
	return f, nil
}

// Groups are the target groups that actions forward to, in order of their appearance.
func Groups(actions []Action) (all []string) {
	for _, a := range actions {
		for _, g := range a.Groups {
			if !slices.Contains(all, g.Group) {
				all = append(all, g.Group)
			}
		}
	}
	return all
}

// Takes says what is wrong with a listener of the load balancer that forwards to a target group.
func (l *LoadBalancer) Takes(protocol string, g *TargetGroup) error {
	switch {
	case (protocol == TCP) != g.Network():
		return Errorf(shape.CodeIncompatibleProtocolsException,
			"Listener protocol '%s' is not supported with a target group with the protocol '%s'", protocol, g.Protocol)
	case g.VPC != l.VPC:
		return bad("The following target groups are not in the same VPC as the load balancer: %s", g.ARN())
	}
	return nil
}
