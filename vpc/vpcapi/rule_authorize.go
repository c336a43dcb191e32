package vpcapi

import (
	"context"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/permission"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// maxRules is how many rules a group has of a direction. AWS begins with 60 and gives at most 1,000 for all groups of an interface.
const maxRules = 1000

// rulesAtOnce is how many rules a transaction writes: each has tags, and a group that it names.
const rulesAtOnce = 40

// AuthorizeSecurityGroupIngress adds rules.
func (a *API) AuthorizeSecurityGroupIngress(ctx context.Context, c wire.Call, in *shape.AuthorizeSecurityGroupIngressRequest) (*shape.AuthorizeSecurityGroupIngressResult, error) {
	rules, err := a.authorize(ctx, c, authorization{
		group: in.GroupId, name: in.GroupName, permissions: in.IpPermissions, tags: in.TagSpecifications,
		flat: permission.Flat{Protocol: in.IpProtocol, CIDR: in.CidrIp, SourceName: in.SourceSecurityGroupName, SourceOwner: in.SourceSecurityGroupOwnerId, From: in.FromPort, To: in.ToPort},
	})
	if err != nil {
		return nil, err
	}
	return &shape.AuthorizeSecurityGroupIngressResult{Return: aws.Ptr(true), SecurityGroupRules: rules}, nil
}

// AuthorizeSecurityGroupEgress adds rules.
func (a *API) AuthorizeSecurityGroupEgress(ctx context.Context, c wire.Call, in *shape.AuthorizeSecurityGroupEgressRequest) (*shape.AuthorizeSecurityGroupEgressResult, error) {
	rules, err := a.authorize(ctx, c, authorization{
		egress: true, group: in.GroupId, permissions: in.IpPermissions, tags: in.TagSpecifications,
		flat: permission.Flat{Protocol: in.IpProtocol, CIDR: in.CidrIp, SourceName: in.SourceSecurityGroupName, SourceOwner: in.SourceSecurityGroupOwnerId, From: in.FromPort, To: in.ToPort},
	})
	if err != nil {
		return nil, err
	}
	return &shape.AuthorizeSecurityGroupEgressResult{Return: aws.Ptr(true), SecurityGroupRules: rules}, nil
}

// authorization is a wish for rules.
type authorization struct {
	egress      bool
	group, name *string
	permissions []shape.IpPermission
	flat        permission.Flat
	tags        []shape.TagSpecification
}

// authorize adds rules, as many in one transaction as fit. What can be refused is refused before the first is written; if a later part is
// refused after all, what was written goes again.
func (a *API) authorize(ctx context.Context, c wire.Call, q authorization) ([]shape.SecurityGroupRule, error) {
	tags, err := tagSpec(q.tags, vpc.KindRule)
	if err != nil {
		return nil, err
	}
	var made []*vpc.Rule
	for more := true; more; {
		var part []*vpc.Rule
		err := a.update(ctx, c, func(tx store.Tx, h vpc.Home) error {
			var err error
			part, more, err = authorizePart(tx, h, q, authorized{len(made), tags})
			return err
		})
		if err != nil {
			a.undo(ctx, c, made)
			return nil, err
		}
		made = append(made, part...)
	}
	out := make([]shape.SecurityGroupRule, len(made))
	for i, r := range made {
		out[i] = permission.Rule(r)
		out[i].Tags = renderTags(tags)
	}
	return out, nil
}

// authorized is how far an authorization is.
type authorized struct {
	done int
	tags []vpc.Pair
}

func authorizePart(tx store.Tx, h vpc.Home, q authorization, so authorized) (made []*vpc.Rule, more bool, err error) {
	g, err := groupOf(tx, h, q.group, q.name)
	if err != nil {
		return nil, false, err
	}
	// The first part looks at all peers, so that what is missing is known before anything is written.
	all, err := permission.Asked{Permissions: q.permissions, Flat: q.flat, Group: peers(tx, g)}.Rules()
	if err != nil {
		return nil, false, err
	}
	have := directed(tx, g, q.egress)
	wanted := all[so.done:]
	for _, r := range wanted {
		if err := allowed(h, &r, have); err != nil {
			return nil, false, err
		}
	}
	if len(have)+len(wanted) > maxRules {
		return nil, false, wire.Errorf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	n := min(rulesAtOnce, len(wanted))
	tables.Changed(tx, h, g.ID) // two that add the same rule at once run one after the other
	for _, r := range wanted[:n] {
		r.Home, r.Group, r.Egress = h, g.ID, q.egress
		if err := usePeer(tx, &r); err != nil {
			return nil, false, err
		}
		made = append(made, addRule(tx, r, so.tags))
	}
	return made, n < len(wanted), nil
}

// addRule gives a rule its id and writes it.
func addRule(tx store.Tx, r vpc.Rule, tags []vpc.Pair) *vpc.Rule {
	r.ID = vpc.KindRule.NewID(tx.NewID())
	tables.Rules.Put(tx, &r)
	tables.PutTags(tx, r.Home, r.ID, tags)
	return &r
}

// undo takes rules away that were added by a request that is refused.
func (a *API) undo(ctx context.Context, c wire.Call, made []*vpc.Rule) {
	for len(made) > 0 {
		n := min(rulesAtOnce, len(made))
		_ = a.update(context.WithoutCancel(ctx), c, func(tx store.Tx, _ vpc.Home) error { // the refusal is what the client must know
			for _, r := range made[:n] {
				tables.DropRule(tx, r)
			}
			return nil
		})
		made = made[n:]
	}
}

// directed are a group's rules of a direction by what makes them the same.
func directed(tx store.Tx, g *vpc.SecurityGroup, egress bool) map[permission.Same]*vpc.Rule {
	have := map[permission.Same]*vpc.Rule{}
	for _, r := range tables.RulesOf(tx, g.Home, g.ID) {
		if r.Egress == egress {
			have[permission.SameAs(r)] = r
		}
	}
	return have
}

// allowed refuses a rule that is there already or names what is not.
func allowed(h vpc.Home, r *vpc.Rule, have map[permission.Same]*vpc.Rule) error {
	if have[permission.SameAs(r)] != nil {
		return wire.Errorf("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", permission.Text(r))
	}
	if _, ok := vpc.PrefixListOf(h, r.Peer.PrefixList); r.Peer.PrefixList != "" && !ok {
		return vpc.KindPrefixList.NotFound(r.Peer.PrefixList)
	}
	return nil
}

// peers answers the ids of groups that rules of g name. It compares nothing: usePeer does, for those that are written.
func peers(tx store.Tx, g *vpc.SecurityGroup) func(shape.UserIdGroupPair) (string, error) {
	return func(p shape.UserIdGroupPair) (string, error) {
		if owner := aws.Val(p.UserId); owner != "" && owner != g.Account {
			return "", vpc.KindGroup.NotFound(aws.Val(p.GroupId) + aws.Val(p.GroupName))
		}
		if p.GroupId == nil && p.GroupName == nil {
			return "", missing("GroupName or GroupId")
		}
		var peer *vpc.SecurityGroup
		if p.GroupId != nil {
			if err := vpc.KindGroup.Check(*p.GroupId); err != nil {
				return "", err
			}
			peer, _ = tables.SecurityGroups.Peek(tx, tables.Key(g.Home, *p.GroupId))
		} else {
			for _, other := range tables.GroupsByVPC.List(tx, g.VPC, "") {
				if other.Name == *p.GroupName {
					peer = other
				}
			}
		}
		switch {
		case peer == nil:
			return "", vpc.KindGroup.NotFound(aws.Val(p.GroupId) + aws.Val(p.GroupName))
		case peer.VPC != g.VPC:
			return "", wire.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
		return peer.ID, nil
	}
}

// usePeer compares the group that a rule names, and that nobody deletes it. 2 keys.
func usePeer(tx store.Tx, r *vpc.Rule) error {
	if r.Peer.Group == "" || r.Peer.Group == r.Group {
		return nil
	}
	if _, err := tables.Group(tx, r.Home, r.Peer.Group); err != nil {
		return err
	}
	tables.Use(tx, r.Home, r.Peer.Group)
	return nil
}
