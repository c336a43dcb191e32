package elbapi

import (
	"context"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// maxGroups is how many target groups a home has at most.
const maxGroups = 3000

// bindGroups binds what is about target groups and targets.
func (a *API) bindGroups(m *wire.Mux) {
	wire.Handle(m, shape.OpCreateTargetGroup, a.CreateTargetGroup)
	wire.Handle(m, shape.OpDescribeTargetGroups, a.DescribeTargetGroups)
	wire.Handle(m, shape.OpModifyTargetGroup, a.ModifyTargetGroup)
	wire.Handle(m, shape.OpDeleteTargetGroup, a.DeleteTargetGroup)
	wire.Handle(m, shape.OpDescribeTargetGroupAttributes, a.DescribeTargetGroupAttributes)
	wire.Handle(m, shape.OpModifyTargetGroupAttributes, a.ModifyTargetGroupAttributes)
	wire.Handle(m, shape.OpRegisterTargets, a.RegisterTargets)
	wire.Handle(m, shape.OpDeregisterTargets, a.DeregisterTargets)
	wire.Handle(m, shape.OpDescribeTargetHealth, a.DescribeTargetHealth)
}

// CreateTargetGroup makes a target group. Asked again for the same, it answers the one that is there.
func (a *API) CreateTargetGroup(ctx context.Context, c wire.Call, in *shape.CreateTargetGroupInput) (*shape.CreateTargetGroupOutput, error) {
	g, err := newGroup(home(c), in)
	if err != nil {
		return nil, err
	}
	tags, err := elb.MergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	var out shape.TargetGroup
	err = a.store.Update(ctx, func(tx store.Tx) error {
		made, err := a.createGroup(tx, g, tags)
		if err == nil {
			out = renderGroup(tx, made)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shape.CreateTargetGroupOutput{TargetGroups: []shape.TargetGroup{out}}, nil
}

// createGroup writes a new group, or answers the same one.
func (a *API) createGroup(tx store.Tx, want *elb.TargetGroup, tags []elb.Pair) (*elb.TargetGroup, error) {
	g := *want
	g.ID, g.CreatedAt = tx.NewID()[:16], tx.Now()
	if _, ok := a.Network.VPC(tx, g.Home, g.VPC); !ok {
		return nil, elb.Invalid("The VPC ID '%s' is not found", g.VPC)
	}
	if id, taken := tables.TakeName(tx, &elb.Name{Home: g.Home, Of: elb.NamesOfGroups, Name: g.Name, ID: g.ID}); taken {
		has, ok := tables.TargetGroups.Get(tx, tables.Key(g.Home, id))
		if ok && same(has, want) {
			return has, nil
		}
		return nil, elb.Errorf(shape.CodeDuplicateTargetGroupNameException, "A target group with the same name '%s' exists, but with different settings", g.Name)
	}
	tables.Touch(tx, g.Home, elb.NamesOfGroups)
	if tables.TargetGroupsByHome.Count(tx, tables.All(g.Home)) >= maxGroups {
		return nil, elb.Errorf(shape.CodeTooManyTargetGroupsException, "The maximum number of target groups has been reached: %d", maxGroups)
	}
	tables.TargetGroups.Put(tx, &g)
	tables.PutTags(tx, &elb.Tags{Home: g.Home, Of: g.ARN(), Pairs: tags})
	return &g, nil
}

func same(has, want *elb.TargetGroup) bool {
	a := *want
	a.ID, a.CreatedAt = has.ID, has.CreatedAt
	return a == *has
}

// newGroup is the group that a request asks for.
func newGroup(h elb.Home, in *shape.CreateTargetGroupInput) (*elb.TargetGroup, error) {
	g := &elb.TargetGroup{Home: h, Name: aws.Val(in.Name), Type: elb.TargetInstance, Protocol: aws.Val(in.Protocol), Version: aws.Val(in.ProtocolVersion),
		Port: aws.Val(in.Port), VPC: aws.Val(in.VpcId)}
	if in.TargetType != nil {
		g.Type = *in.TargetType
	}
	if err := checkGroupName(g.Name); err != nil {
		return nil, err
	}
	if err := unserved(in); err != nil {
		return nil, err
	}
	if err := checkKind(g); err != nil {
		return nil, err
	}
	if !g.Network() && g.Version == "" {
		g.Version = elb.HTTP1
	}
	g.Check = g.DefaultCheck(aws.Val(in.HealthCheckProtocol))
	changeCheck(&g.Check, checkInput{in.HealthCheckEnabled, in.HealthCheckPort, in.HealthCheckPath, in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds,
		in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher})
	return g, g.CheckCheck()
}

func checkGroupName(name string) error {
	odd := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	switch {
	case name == "":
		return elb.Invalid("A target group name must be specified")
	case len(name) > 32:
		return elb.Invalid("Target group name '%s' cannot be longer than '32' characters", name)
	case strings.ContainsFunc(name, odd):
		return elb.Invalid("Target group name '%s' can only contain characters that are alphanumeric characters or hyphens(-)", name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return elb.Invalid("Target group name '%s' cannot begin or end with '-'", name)
	}
	return nil
}

// unserved refuses what AWS has and nothing here does.
func unserved(in *shape.CreateTargetGroupInput) error {
	switch p := aws.Val(in.Protocol); {
	case aws.Val(in.TargetType) == shape.TargetTypeEnumLambda:
		return elb.Invalid("Target type 'lambda' is not supported here: there are no Lambda functions")
	case p != "" && p != elb.HTTP && p != elb.HTTPS && p != elb.TCP:
		return elb.Errorf(shape.CodeUnsupportedProtocolException, "Protocol '%s' is not supported here: the protocol of a target group is HTTP, HTTPS or TCP", p)
	case aws.Val(in.IpAddressType) == shape.TargetGroupIpAddressTypeEnumIpv6:
		return elb.Invalid("IP address type 'ipv6' is not supported here: targets are reached by IPv4")
	case in.TargetControlPort != nil:
		return elb.Invalid("A target control port is not supported here")
	}
	return nil
}

// checkKind says what is wrong with the type, protocol, port and VPC of a group.
func checkKind(g *elb.TargetGroup) error {
	switch {
	case g.Type != elb.TargetInstance && g.Type != elb.TargetIP && g.Type != elb.TargetALB:
		return elb.Invalid("Target type '%s' must be one of the following values: instance, ip, alb", g.Type)
	case g.Protocol == "":
		return elb.Invalid("A protocol must be specified")
	case g.Port == 0:
		return elb.Invalid("A port must be specified")
	case g.VPC == "":
		return elb.Invalid("A VPC ID must be specified")
	case g.Type == elb.TargetALB && g.Protocol != elb.TCP:
		return elb.Invalid("Protocol '%s' is not supported for target groups with target type 'alb'", g.Protocol)
	case g.Network() && g.Version != "":
		return elb.Invalid("Protocol version '%s' is not supported for target groups with the TCP protocol", g.Version)
	case g.Version != "" && g.Version != elb.HTTP1 && g.Version != elb.HTTP2 && g.Version != elb.GRPC:
		return elb.Invalid("Protocol version '%s' must be one of the following values: HTTP1, HTTP2, GRPC", g.Version)
	}
	return nil
}

// checkInput is what requests say of a health check, beside its protocol.
type checkInput struct {
	enabled                               *bool
	port, path                            *string
	interval, timeout, healthy, unhealthy *int32
	matcher                               *shape.Matcher
}

func changeCheck(c *elb.Check, in checkInput) {
	if in.enabled != nil {
		c.Enabled = *in.enabled
	}
	for to, from := range map[*string]*string{&c.Port: in.port, &c.Path: in.path} {
		if from != nil {
			*to = *from
		}
	}
	for to, from := range map[*int32]*int32{&c.Interval: in.interval, &c.Timeout: in.timeout, &c.Healthy: in.healthy, &c.Unhealthy: in.unhealthy} {
		if from != nil {
			*to = *from
		}
	}
	if in.matcher != nil && in.matcher.HttpCode != nil {
		c.HTTPCodes = *in.matcher.HttpCode
	}
	if in.matcher != nil && in.matcher.GrpcCode != nil {
		c.GRPCCodes = *in.matcher.GrpcCode
	}
}

// ModifyTargetGroup changes how the targets of a group are looked at.
func (a *API) ModifyTargetGroup(ctx context.Context, c wire.Call, in *shape.ModifyTargetGroupInput) (*shape.ModifyTargetGroupOutput, error) {
	var out shape.TargetGroup
	err := a.store.Update(ctx, func(tx store.Tx) error {
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err != nil {
			return err
		}
		next := *g
		if p := aws.Val(in.HealthCheckProtocol); p != "" && p != g.Check.Protocol {
			changeProtocol(&next, p)
		}
		changeCheck(&next.Check, checkInput{in.HealthCheckEnabled, in.HealthCheckPort, in.HealthCheckPath, in.HealthCheckIntervalSeconds,
			in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount, in.Matcher})
		if err := next.CheckCheck(); err != nil {
			return err
		}
		tables.TargetGroups.Put(tx, &next)
		out = renderGroup(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.ModifyTargetGroupOutput{TargetGroups: []shape.TargetGroup{out}}, nil
}

// changeProtocol makes a group's check one of another protocol: what is asked and answered begins anew when there was nothing, or is nothing any more.
func changeProtocol(g *elb.TargetGroup, protocol string) {
	was, fresh := g.Check.Protocol, g.DefaultCheck(protocol)
	g.Check.Protocol = protocol
	if was == elb.TCP || protocol == elb.TCP {
		g.Check.Path, g.Check.HTTPCodes, g.Check.GRPCCodes = fresh.Path, fresh.HTTPCodes, fresh.GRPCCodes
	}
}

// DeleteTargetGroup deletes a group that nothing forwards to. One that is not there is none.
func (a *API) DeleteTargetGroup(ctx context.Context, c wire.Call, in *shape.DeleteTargetGroupInput) (*shape.DeleteTargetGroupOutput, error) {
	err := a.store.Update(ctx, func(tx store.Tx) error {
		g, err := tables.TargetGroup(tx, home(c), aws.Val(in.TargetGroupArn))
		if err != nil {
			return gone(err)
		}
		tables.Still(tx, g.Home, g.ID)
		if len(tables.UsersOf(tx, g.Home, g.ID)) > 0 {
			return elb.Errorf(shape.CodeResourceInUseException, "Target group '%s' is currently in use by a listener or a rule", g.ARN())
		}
		tables.Names.Delete(tx, tables.NameKey(g.Home, elb.NamesOfGroups, g.Name))
		tables.Forget(tx, g.Home, g.ARN())
		tables.TargetGroups.Delete(tx, tables.Key(g.Home, g.ID))
		return nil
	})
	return &shape.DeleteTargetGroupOutput{}, err
}
