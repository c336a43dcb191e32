package vpcapi

import (
	"context"
	"strconv"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// DescribeInstances lists nodes as instances. Each has a reservation of its own.
func (a *API) DescribeInstances(ctx context.Context, c wire.Call, in *shape.DescribeInstancesRequest) (*shape.DescribeInstancesResult, error) {
	out := &shape.DescribeInstancesResult{Reservations: []shape.Reservation{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[shape.Instance]{
			Kind: vpc.KindInstance, IDs: in.InstanceIds, Fields: instanceFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, instances(a, tx, h, func(n *vpc.Node) shape.Instance {
			i := a.primary(tx, n)
			s, _ := tables.Subnets.Peek(tx, tables.Key(h, i.Subnet))
			return n.RenderInstance(a.renderInterface(tx, i), s, renderTags(n.Tags))
		}))
		for _, i := range page {
			out.Reservations = append(out.Reservations, shape.Reservation{
				ReservationId: aws.Ptr((&vpc.Node{Instance: i.ID}).Reservation()), OwnerId: aws.Ptr(h.Account), Instances: []shape.Instance{i.Item},
				Groups: []shape.GroupIdentifier{},
			})
		}
		out.NextToken = next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// instanceFields are the filters of instances that say anything of a node.
var instanceFields = vpc.Fields[shape.Instance]{
	"architecture":                           field(func(i shape.Instance) *string { return i.Architecture }),
	"availability-zone":                      field(func(i shape.Instance) *string { return i.Placement.AvailabilityZone }),
	"dns-name":                               field(func(i shape.Instance) *string { return i.PublicDnsName }),
	"instance-id":                            field(func(i shape.Instance) *string { return i.InstanceId }),
	"instance-state-code":                    func(i shape.Instance) []string { return []string{strconv.Itoa(int(*i.State.Code))} },
	"instance-state-name":                    field(func(i shape.Instance) *string { return i.State.Name }),
	"instance-type":                          field(func(i shape.Instance) *string { return i.InstanceType }),
	"instance.group-id":                      each(func(i shape.Instance) []shape.GroupIdentifier { return i.SecurityGroups }, func(g shape.GroupIdentifier) *string { return g.GroupId }),
	"instance.group-name":                    each(func(i shape.Instance) []shape.GroupIdentifier { return i.SecurityGroups }, func(g shape.GroupIdentifier) *string { return g.GroupName }),
	"ip-address":                             field(func(i shape.Instance) *string { return i.PublicIpAddress }),
	"launch-time":                            func(i shape.Instance) []string { return []string{i.LaunchTime.Format(time.RFC3339)} },
	"network-interface.network-interface-id": field(func(i shape.Instance) *string { return i.NetworkInterfaces[0].NetworkInterfaceId }),
	"network-interface.subnet-id":            field(func(i shape.Instance) *string { return i.SubnetId }),
	"network-interface.vpc-id":               field(func(i shape.Instance) *string { return i.VpcId }),
	"owner-id":                               field(func(i shape.Instance) *string { return i.NetworkInterfaces[0].OwnerId }),
	"platform":                               field(func(i shape.Instance) *string { return i.Platform }),
	"platform-details":                       field(func(i shape.Instance) *string { return i.PlatformDetails }),
	"private-dns-name":                       field(func(i shape.Instance) *string { return i.PrivateDnsName }),
	"private-ip-address":                     field(func(i shape.Instance) *string { return i.PrivateIpAddress }),
	"reservation-id":                         func(i shape.Instance) []string { return one((&vpc.Node{Instance: *i.InstanceId}).Reservation()) },
	"subnet-id":                              field(func(i shape.Instance) *string { return i.SubnetId }),
	"tenancy":                                field(func(i shape.Instance) *string { return i.Placement.Tenancy }),
	"vpc-id":                                 field(func(i shape.Instance) *string { return i.VpcId }),
}

// DescribeInstanceStatus lists how instances are: those that run, unless all are asked for.
func (a *API) DescribeInstanceStatus(ctx context.Context, c wire.Call, in *shape.DescribeInstanceStatusRequest) (*shape.DescribeInstanceStatusResult, error) {
	out := &shape.DescribeInstanceStatusResult{InstanceStatuses: []shape.InstanceStatus{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		page, next, err := list(c, listing[*vpc.Node]{
			Kind: vpc.KindInstance, IDs: in.InstanceIds, Fields: statusFields, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken,
		}, instances(a, tx, h, func(n *vpc.Node) *vpc.Node { return n }))
		for _, n := range page {
			if !n.Item.Connected && !aws.Val(in.IncludeAllInstances) {
				continue
			}
			out.InstanceStatuses = append(out.InstanceStatuses, n.Item.RenderStatus(a.zoneID(h.Region, n.Item.Zone)))
		}
		out.NextToken = next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func status(n *vpc.Node) []string { return one(*n.RenderStatus("").InstanceStatus.Status) }

func reachability(n *vpc.Node) []string {
	return each(func(n *vpc.Node) []shape.InstanceStatusDetails { return n.RenderStatus("").InstanceStatus.Details },
		func(d shape.InstanceStatusDetails) *string { return d.Status })(n)
}

var statusFields = vpc.Fields[*vpc.Node]{
	"availability-zone":            func(n *vpc.Node) []string { return one(n.Zone) },
	"instance-state-code":          func(n *vpc.Node) []string { return []string{strconv.Itoa(int(*n.State().Code))} },
	"instance-state-name":          func(n *vpc.Node) []string { return one(*n.State().Name) },
	"instance-status.status":       status,
	"system-status.status":         status,
	"instance-status.reachability": reachability,
	"system-status.reachability":   reachability,
}
