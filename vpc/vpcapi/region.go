package vpcapi

import (
	"context"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// notRequired: every region and zone is there for everybody.
const notRequired = "opt-in-not-required"

// ec2Host is the host of a region's endpoint as AWS names it; clients take it for a name and use the address they are configured with.
func ec2Host(region string) string { return "ec2." + region + ".amazonaws.com" }

var regionFields = vpc.Fields[string]{
	"region-name":   func(r string) []string { return []string{r} },
	"endpoint":      func(r string) []string { return []string{ec2Host(r)} },
	"opt-in-status": func(string) []string { return []string{notRequired} },
}

// DescribeRegions lists the regions of the installation. Where every region is one, it lists those that are listed, the caller's and
// those that are asked for by name.
func (a *API) DescribeRegions(_ context.Context, c wire.Call, in *shape.DescribeRegionsRequest) (*shape.DescribeRegionsResult, error) {
	wanted := filters(in.Filters)
	if err := regionFields.Check(wanted); err != nil {
		return nil, err
	}
	regions := slices.Clone(a.Regions)
	for _, name := range append([]string{c.Region}, in.RegionNames...) {
		if a.Also != nil && a.Also(name) {
			regions = append(regions, name)
		}
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	for _, name := range in.RegionNames {
		if !slices.Contains(regions, name) {
			return nil, invalid("Invalid region provided: '%s'", name)
		}
	}
	out := &shape.DescribeRegionsResult{Regions: []shape.Region{}}
	for _, r := range regions {
		if len(in.RegionNames) > 0 && !slices.Contains(in.RegionNames, r) || !regionFields.Match(wanted, r) {
			continue
		}
		out.Regions = append(out.Regions, shape.Region{RegionName: aws.Ptr(r), Endpoint: aws.Ptr(ec2Host(r)), OptInStatus: aws.Ptr(notRequired)})
	}
	return out, nil
}

const (
	zoneAvailable = "available"
	zoneType      = "availability-zone"
)

func zoneGroup(z vpc.Zone) string { return z.Region + "-zg-1" }

var zoneFields = vpc.Fields[vpc.Zone]{
	"group-name":      func(z vpc.Zone) []string { return []string{zoneGroup(z)} },
	"message":         func(vpc.Zone) []string { return nil },
	"opt-in-status":   func(vpc.Zone) []string { return []string{notRequired} },
	"parent-zone-id":  func(vpc.Zone) []string { return nil },
	"parent-zoneName": func(vpc.Zone) []string { return nil }, // EC2's own spelling
	"region-name":     func(z vpc.Zone) []string { return []string{z.Region} },
	"state":           func(vpc.Zone) []string { return []string{zoneAvailable} },
	"zone-id":         func(z vpc.Zone) []string { return []string{z.ID} },
	"zone-name":       func(z vpc.Zone) []string { return []string{z.Name} },
	"zone-type":       func(vpc.Zone) []string { return []string{zoneType} },
}

// DescribeAvailabilityZones lists the zones of the caller's region.
func (a *API) DescribeAvailabilityZones(_ context.Context, c wire.Call, in *shape.DescribeAvailabilityZonesRequest) (*shape.DescribeAvailabilityZonesResult, error) {
	wanted := filters(in.Filters)
	if err := zoneFields.Check(wanted); err != nil {
		return nil, err
	}
	if len(in.ZoneNames) > 0 && len(in.ZoneIds) > 0 {
		return nil, wire.Errorf("InvalidParameterCombination", "The parameters ZoneName and ZoneId cannot be used together")
	}
	zones := vpc.Zones(c.Region, a.Zones(c.Region))
	if err := known("availability zone", in.ZoneNames, zones, func(z vpc.Zone) string { return z.Name }); err != nil {
		return nil, err
	}
	if err := known("availability zone-id", in.ZoneIds, zones, func(z vpc.Zone) string { return z.ID }); err != nil {
		return nil, err
	}
	out := &shape.DescribeAvailabilityZonesResult{AvailabilityZones: []shape.AvailabilityZone{}}
	for _, z := range zones {
		asked := len(in.ZoneNames)+len(in.ZoneIds) == 0 || slices.Contains(in.ZoneNames, z.Name) || slices.Contains(in.ZoneIds, z.ID)
		if asked && zoneFields.Match(wanted, z) {
			out.AvailabilityZones = append(out.AvailabilityZones, renderZone(z))
		}
	}
	return out, nil
}

// known refuses names that no zone has.
func known(what string, names []string, zones []vpc.Zone, name func(vpc.Zone) string) error {
	var strange []string
	for _, n := range names {
		if !slices.ContainsFunc(zones, func(z vpc.Zone) bool { return name(z) == n }) {
			strange = append(strange, n)
		}
	}
	if strange != nil {
		return invalid("Invalid %s: [%s]", what, strings.Join(strange, ", "))
	}
	return nil
}

func renderZone(z vpc.Zone) shape.AvailabilityZone {
	return shape.AvailabilityZone{
		ZoneName: aws.Ptr(z.Name), ZoneId: aws.Ptr(z.ID), RegionName: aws.Ptr(z.Region), ZoneType: aws.Ptr(zoneType),
		State: aws.Ptr(zoneAvailable), OptInStatus: aws.Ptr(notRequired), Messages: []shape.AvailabilityZoneMessage{},
		GroupName: aws.Ptr(zoneGroup(z)), NetworkBorderGroup: aws.Ptr(z.Region),
	}
}
