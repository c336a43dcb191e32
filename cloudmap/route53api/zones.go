package route53api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cloudmap/zone"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/route53"
)

// mostZones is how many zones a page has.
const mostZones = 100

// linked is who made every zone there is.
const linked = "servicediscovery.amazonaws.com"

func private(n *cloudmap.Namespace) bool { return n.VPC != "" }

// render is a zone as Route 53 tells it.
func render(tx store.Tx, n *cloudmap.Namespace) shape.HostedZone {
	return shape.HostedZone{
		Id: aws.Ptr("/hostedzone/" + n.Zone), Name: aws.Ptr(n.Domain(".") + "."), CallerReference: &n.ID, ResourceRecordSetCount: aws.Ptr(count(tx, n)),
		Config:        &shape.HostedZoneConfig{Comment: aws.Ptr("Created by AWS Cloud Map namespace with ARN " + n.ARN()), PrivateZone: aws.Ptr(private(n))},
		LinkedService: &shape.LinkedService{ServicePrincipal: aws.Ptr(linked), Description: aws.Ptr("Created by AWS Cloud Map; managed by AWS Cloud Map")},
	}
}

// GetHostedZone answers one.
func (a *API) GetHostedZone(ctx context.Context, c wire.Call, in *shape.GetHostedZoneRequest) (*shape.GetHostedZoneResponse, error) {
	out := &shape.GetHostedZoneResponse{}
	err := a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		n, err := zoneOf(tx, c.Account, aws.Val(in.Id))
		if err != nil {
			return err
		}
		out.HostedZone = aws.Ptr(render(tx, n))
		if private(n) {
			out.VPCs = []shape.VPC{{VPCId: &n.VPC, VPCRegion: &n.Region}}
			return nil
		}
		out.DelegationSet = &shape.DelegationSet{NameServers: slices.Clone(zone.Servers)}
		return nil
	})
	return out, err
}

// ListHostedZones answers a page in the order of ids.
func (a *API) ListHostedZones(ctx context.Context, c wire.Call, in *shape.ListHostedZonesRequest) (*shape.ListHostedZonesResponse, error) {
	n, err := size(in.MaxItems, mostZones)
	if err != nil {
		return nil, err
	}
	out := &shape.ListHostedZonesResponse{HostedZones: []shape.HostedZone{}, Marker: aws.Ptr(aws.Val(in.Marker)), MaxItems: aws.Ptr(strconv.Itoa(n))}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		all := slices.DeleteFunc(zones(tx, c.Account), func(z *cloudmap.Namespace) bool {
			return z.Zone < aws.Val(in.Marker) || aws.Val(in.HostedZoneType) == shape.HostedZoneTypePrivateHostedZone && !private(z)
		})
		slices.SortFunc(all, func(x, y *cloudmap.Namespace) int { return cmp.Compare(x.Zone, y.Zone) })
		page, next := cut(all, n)
		for _, z := range page {
			out.HostedZones = append(out.HostedZones, render(tx, z))
		}
		out.IsTruncated = aws.Ptr(next != nil)
		if next != nil {
			out.NextMarker = &(*next).Zone
		}
		return nil
	})
	return out, err
}

// reversed is a name such that names of one domain are beside each other: example.com as com.example.
func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(name), "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}

// byName is the order of zones by their names, then their ids.
func byName(x, y *cloudmap.Namespace) int {
	return cmp.Or(cmp.Compare(reversed(x.Name), reversed(y.Name)), cmp.Compare(x.Zone, y.Zone))
}

// ListHostedZonesByName answers a page in the order of names, from a name on.
func (a *API) ListHostedZonesByName(ctx context.Context, c wire.Call, in *shape.ListHostedZonesByNameRequest) (*shape.ListHostedZonesByNameResponse, error) {
	n, err := size(in.MaxItems, mostZones)
	if err != nil {
		return nil, err
	}
	out := &shape.ListHostedZonesByNameResponse{HostedZones: []shape.HostedZone{}, DNSName: in.DNSName, HostedZoneId: in.HostedZoneId, MaxItems: aws.Ptr(strconv.Itoa(n))}
	from := &cloudmap.Namespace{Name: aws.Val(in.DNSName), Zone: strings.TrimPrefix(aws.Val(in.HostedZoneId), "/hostedzone/")}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		all := zones(tx, c.Account)
		if from.Name != "" {
			all = slices.DeleteFunc(all, func(z *cloudmap.Namespace) bool { return byName(z, from) < 0 })
		}
		slices.SortFunc(all, byName)
		page, next := cut(all, n)
		for _, z := range page {
			out.HostedZones = append(out.HostedZones, render(tx, z))
		}
		out.IsTruncated = aws.Ptr(next != nil)
		if next != nil {
			out.NextDNSName, out.NextHostedZoneId = aws.Ptr((*next).Domain(".")+"."), &(*next).Zone
		}
		return nil
	})
	return out, err
}

// ListHostedZonesByVPC answers a page of those whose names are answered in a VPC.
func (a *API) ListHostedZonesByVPC(ctx context.Context, c wire.Call, in *shape.ListHostedZonesByVPCRequest) (*shape.ListHostedZonesByVPCResponse, error) {
	n, err := size(in.MaxItems, mostZones)
	if err != nil {
		return nil, err
	}
	out := &shape.ListHostedZonesByVPCResponse{HostedZoneSummaries: []shape.HostedZoneSummary{}, MaxItems: aws.Ptr(strconv.Itoa(n))}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		var all []*cloudmap.Namespace
		for _, z := range tables.NamespacesByVPC.List(tx, aws.Val(in.VPCId), "") {
			if z.Account == c.Account && z.Region == aws.Val(in.VPCRegion) && z.Zone >= aws.Val(in.NextToken) {
				all = append(all, z)
			}
		}
		slices.SortFunc(all, func(x, y *cloudmap.Namespace) int { return cmp.Compare(x.Zone, y.Zone) })
		page, next := cut(all, n)
		for _, z := range page {
			out.HostedZoneSummaries = append(out.HostedZoneSummaries, shape.HostedZoneSummary{HostedZoneId: &z.Zone, Name: aws.Ptr(z.Domain(".") + "."),
				Owner: &shape.HostedZoneOwner{OwningService: aws.Ptr(linked)}})
		}
		if next != nil {
			out.NextToken = &(*next).Zone
		}
		return nil
	})
	return out, err
}

// ListTagsForResource answers no tags: those of a namespace are not its zone's.
func (a *API) ListTagsForResource(ctx context.Context, c wire.Call, in *shape.ListTagsForResourceRequest) (*shape.ListTagsForResourceResponse, error) {
	if aws.Val(in.ResourceType) == shape.TagResourceTypeHealthcheck {
		return nil, errorf(shape.CodeNoSuchHealthCheck, "A health check with id %s does not exist.", aws.Val(in.ResourceId))
	}
	out := &shape.ListTagsForResourceResponse{ResourceTagSet: &shape.ResourceTagSet{ResourceId: in.ResourceId, ResourceType: in.ResourceType, Tags: []shape.Tag{}}}
	return out, a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		_, err := zoneOf(tx, c.Account, aws.Val(in.ResourceId))
		return err
	})
}

// GetChange answers that there is none: nothing that is served here makes changes.
func (a *API) GetChange(_ context.Context, _ wire.Call, in *shape.GetChangeRequest) (*shape.GetChangeResponse, error) {
	return nil, errorf(shape.CodeNoSuchChange, "Could not find resource with ID: %s", strings.TrimPrefix(aws.Val(in.Id), "/change/"))
}
