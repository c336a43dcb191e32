package vpcapi

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// DescribeInstanceTypes lists the types of the nodes that are here: what is said of one is so of its first node.
func (a *API) DescribeInstanceTypes(ctx context.Context, c wire.Call, in *shape.DescribeInstanceTypesRequest) (*shape.DescribeInstanceTypesResult, error) {
	out := &shape.DescribeInstanceTypesResult{InstanceTypes: []shape.InstanceTypeInfo{}}
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		wanted := filters(in.Filters)
		if err := typeFields.Check(wanted); err != nil {
			return err
		}
		types := typesOf(a.nodes(tx, h))
		for _, name := range in.InstanceTypes {
			if !slices.ContainsFunc(types, func(t shape.InstanceTypeInfo) bool { return *t.InstanceType == name }) {
				return wire.Errorf("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
			}
		}
		types = slices.DeleteFunc(types, func(t shape.InstanceTypeInfo) bool {
			return len(in.InstanceTypes) > 0 && !slices.Contains(in.InstanceTypes, *t.InstanceType) || !typeFields.Match(wanted, t)
		})
		page, next, err := pageOf(paging{Call: c, IDs: in.InstanceTypes, Filters: in.Filters, Max: in.MaxResults, Token: in.NextToken}, types,
			func(t shape.InstanceTypeInfo) string { return *t.InstanceType })
		out.InstanceTypes, out.NextToken = append(out.InstanceTypes, page...), next
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// typesOf are the types of nodes, each once, in order of their names.
func typesOf(nodes []vpc.Node) []shape.InstanceTypeInfo {
	var types []shape.InstanceTypeInfo
	for _, n := range nodes {
		if t := n.RenderType(); !slices.ContainsFunc(types, func(o shape.InstanceTypeInfo) bool { return *o.InstanceType == *t.InstanceType }) {
			types = append(types, t)
		}
	}
	slices.SortFunc(types, func(a, b shape.InstanceTypeInfo) int { return strings.Compare(*a.InstanceType, *b.InstanceType) })
	return types
}

var typeFields = vpc.Fields[shape.InstanceTypeInfo]{
	"bare-metal":         field(func(t shape.InstanceTypeInfo) *string { return flag(t.BareMetal) }),
	"current-generation": field(func(t shape.InstanceTypeInfo) *string { return flag(t.CurrentGeneration) }),
	"instance-type":      field(func(t shape.InstanceTypeInfo) *string { return t.InstanceType }),
	"memory-info.size-in-mib": func(t shape.InstanceTypeInfo) []string {
		return []string{strconv.FormatInt(aws.Val(t.MemoryInfo.SizeInMiB), 10)}
	},
	"processor-info.supported-architecture": func(t shape.InstanceTypeInfo) []string { return t.ProcessorInfo.SupportedArchitectures },
	"supported-usage-class":                 func(t shape.InstanceTypeInfo) []string { return t.SupportedUsageClasses },
	"vcpu-info.default-vcpus": func(t shape.InstanceTypeInfo) []string {
		return []string{strconv.Itoa(int(aws.Val(t.VCpuInfo.DefaultVCpus)))}
	},
}

// RunInstances refuses: machines join by themselves.
func (a *API) RunInstances(context.Context, wire.Call, *shape.RunInstancesRequest) (*shape.Reservation, error) {
	return nil, wire.Errorf("UnsupportedOperation", "Nothing in this region starts machines: a machine becomes an instance when a berth node on it joins a cluster.")
}

// TerminateInstances refuses: the machines are their owner's.
func (a *API) TerminateInstances(ctx context.Context, c wire.Call, in *shape.TerminateInstancesRequest) (*shape.TerminateInstancesResult, error) {
	err := a.view(ctx, c, func(tx store.Tx, h vpc.Home) error {
		for _, id := range in.InstanceIds {
			if err := a.isInstance(tx, h, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nil, wire.Errorf("UnsupportedOperation", "Nothing in this region stops machines: deregister the container instance, and stop the berth node on the machine.")
}
