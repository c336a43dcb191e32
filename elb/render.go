package elb

import (
	"slices"
	"strconv"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// some is nil for the empty string, which AWS does not say.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Render is the load balancer as AWS says it. address answers the Elastic address of an allocation.
func (l *LoadBalancer) Render(s LoadBalancerStatus, address func(allocation string) string) shape.LoadBalancer {
	out := shape.LoadBalancer{
		LoadBalancerArn: aws.Ptr(l.ARN()), LoadBalancerName: aws.Ptr(l.Name), Type: aws.Ptr(l.Type), Scheme: aws.Ptr(l.Scheme), VpcId: aws.Ptr(l.VPC),
		DNSName: aws.Ptr(l.DNSName), CanonicalHostedZoneId: aws.Ptr(HostedZone(l.Type, l.Region)), IpAddressType: aws.Ptr(l.IPAddressType),
		CreatedTime: aws.At(l.CreatedAt), SecurityGroups: slices.Clone(l.SecurityGroups),
		State:             &shape.LoadBalancerState{Code: aws.Ptr(s.State), Reason: some(s.Reason)},
		AvailabilityZones: l.RenderZones(address),
	}
	if l.Type == TypeNetwork && len(l.SecurityGroups) > 0 {
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = aws.Ptr("on")
	}
	return out
}

// RenderZones are the places of a load balancer as AWS says them.
func (l *LoadBalancer) RenderZones(address func(allocation string) string) []shape.AvailabilityZone {
	var out []shape.AvailabilityZone
	for _, z := range l.Zones {
		a := shape.AvailabilityZone{ZoneName: aws.Ptr(z.Name), SubnetId: aws.Ptr(z.Subnet), LoadBalancerAddresses: []shape.LoadBalancerAddress{}}
		switch {
		case z.Allocation != "":
			a.LoadBalancerAddresses = append(a.LoadBalancerAddresses, shape.LoadBalancerAddress{AllocationId: aws.Ptr(z.Allocation), IpAddress: some(address(z.Allocation))})
		case z.Private.IsValid():
			a.LoadBalancerAddresses = append(a.LoadBalancerAddresses, shape.LoadBalancerAddress{PrivateIPv4Address: aws.Ptr(z.Private.String())})
		}
		out = append(out, a)
	}
	return out
}

// Names are how records' ids are said: group answers the ARN of a target group.
type Names struct {
	LoadBalancer *LoadBalancer
	Group        func(id string) string
}

// Listener is a listener as AWS says it.
func (n Names) Listener(l *Listener) shape.Listener {
	out := shape.Listener{
		ListenerArn: aws.Ptr(n.LoadBalancer.ListenerARN(l.ID)), LoadBalancerArn: aws.Ptr(n.LoadBalancer.ARN()), Port: aws.Ptr(l.Port),
		Protocol: aws.Ptr(l.Protocol), DefaultActions: n.Actions(l.Default),
	}
	if l.Protocol == HTTPS {
		out.SslPolicy = aws.Ptr(l.Policy)
		out.Certificates = []shape.Certificate{{CertificateArn: aws.Ptr(l.Certificate)}}
		out.MutualAuthentication = &shape.MutualAuthenticationAttributes{Mode: aws.Ptr("off")}
	}
	return out
}

// Rule is a rule as AWS says it.
func (n Names) Rule(r *Rule) shape.Rule {
	out := shape.Rule{
		RuleArn: aws.Ptr(n.LoadBalancer.RuleARN(r.Listener, r.ID)), Priority: aws.Ptr("default"), IsDefault: aws.Ptr(r.Priority == 0),
		Actions: n.Actions(r.Actions), Conditions: []shape.RuleCondition{}, Transforms: []shape.RuleTransform{},
	}
	if r.Priority != 0 {
		out.Priority = aws.Ptr(strconv.Itoa(int(r.Priority)))
	}
	for _, c := range r.Conditions {
		out.Conditions = append(out.Conditions, c.render())
	}
	return out
}

// Actions are actions as AWS says them.
func (n Names) Actions(actions []Action) []shape.Action {
	var out []shape.Action
	for _, a := range actions {
		s := shape.Action{Type: aws.Ptr(a.Type)}
		if a.Order != 0 {
			s.Order = aws.Ptr(a.Order)
		}
		switch {
		case a.Redirect != nil:
			r := a.Redirect
			s.RedirectConfig = &shape.RedirectActionConfig{
				Protocol: aws.Ptr(r.Protocol), Host: aws.Ptr(r.Host), Port: aws.Ptr(r.Port), Path: aws.Ptr(r.Path), Query: aws.Ptr(r.Query), StatusCode: aws.Ptr(r.Status),
			}
		case a.Fixed != nil:
			s.FixedResponseConfig = &shape.FixedResponseActionConfig{StatusCode: aws.Ptr(a.Fixed.Status), ContentType: some(a.Fixed.ContentType), MessageBody: some(a.Fixed.Body)}
		default:
			n.forward(a, &s)
		}
		out = append(out, s)
	}
	return out
}

func (n Names) forward(a Action, s *shape.Action) {
	s.ForwardConfig = &shape.ForwardActionConfig{}
	for _, g := range a.Groups {
		s.ForwardConfig.TargetGroups = append(s.ForwardConfig.TargetGroups, shape.TargetGroupTuple{TargetGroupArn: aws.Ptr(n.Group(g.Group)), Weight: aws.Ptr(g.Weight)})
	}
	if len(a.Groups) == 1 {
		s.TargetGroupArn = aws.Ptr(n.Group(a.Groups[0].Group))
	}
	if n.LoadBalancer.Type == TypeApplication {
		s.ForwardConfig.TargetGroupStickinessConfig = &shape.TargetGroupStickinessConfig{Enabled: aws.Ptr(a.Sticky > 0)}
		if a.Sticky > 0 {
			s.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds = aws.Ptr(a.Sticky)
		}
	}
}

// render says a condition twice where AWS does: in the field's configuration and, as before there were those, beside it.
func (c Condition) render() shape.RuleCondition {
	out := shape.RuleCondition{Field: aws.Ptr(c.Field)}
	values, regex := slices.Clone(c.Values), slices.Clone(c.Regex)
	switch c.Field {
	case FieldHost:
		out.Values, out.RegexValues = values, regex
		out.HostHeaderConfig = &shape.HostHeaderConditionConfig{Values: values, RegexValues: regex}
	case FieldPath:
		out.Values, out.RegexValues = values, regex
		out.PathPatternConfig = &shape.PathPatternConditionConfig{Values: values, RegexValues: regex}
	case FieldHeader:
		out.RegexValues = regex
		out.HttpHeaderConfig = &shape.HttpHeaderConditionConfig{HttpHeaderName: aws.Ptr(c.Header), Values: values, RegexValues: regex}
	case FieldMethod:
		out.HttpRequestMethodConfig = &shape.HttpRequestMethodConditionConfig{Values: values}
	case FieldSource:
		out.SourceIpConfig = &shape.SourceIpConditionConfig{Values: values}
	case FieldQuery:
		out.QueryStringConfig = &shape.QueryStringConditionConfig{}
		for _, q := range c.Query {
			out.QueryStringConfig.Values = append(out.QueryStringConfig.Values, shape.QueryStringKeyValuePair{Key: some(q.Key), Value: aws.Ptr(q.Value)})
		}
	}
	return out
}
