package route53api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/cloudmap/zone"
	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/route53"
)

// mostRecords is how many record sets a page has.
const mostRecords = 300

// delegation is how long the name servers of a zone may be remembered.
const delegation = 172800

// recordSets are all of a zone, in Route 53's order: by name, its labels reversed, then type, then what tells several of one name apart.
func recordSets(tx store.Tx, n *cloudmap.Namespace) []shape.ResourceRecordSet {
	apex := n.Domain(".") + "."
	servers := shape.ResourceRecordSet{Name: &apex, Type: aws.Ptr(shape.RRTypeNs), TTL: aws.Ptr[int64](delegation)}
	for _, s := range zone.Servers {
		servers.ResourceRecords = append(servers.ResourceRecords, shape.ResourceRecord{Value: aws.Ptr(s + ".")})
	}
	soa := fmt.Sprintf("%s. %s. 1 7200 900 1209600 86400", zone.Servers[0], zone.Mailbox)
	all := []shape.ResourceRecordSet{servers,
		{Name: &apex, Type: aws.Ptr(shape.RRTypeSoa), TTL: &n.SOATTL, ResourceRecords: []shape.ResourceRecord{{Value: &soa}}}}
	each(tx, n, func(s *cloudmap.Service, i *cloudmap.Instance, values map[string]nodeconf.Value) {
		for _, v := range values {
			all = append(all, recordSet(n, s, i, v))
		}
	})
	slices.SortFunc(all, order)
	return all
}

// each calls f with what each instance of a zone gives to names.
func each(tx store.Tx, n *cloudmap.Namespace, f func(*cloudmap.Service, *cloudmap.Instance, map[string]nodeconf.Value)) {
	for _, s := range tables.ServicesByNamespace.List(tx, tables.Key(n.Home, n.ID), "") {
		for _, i := range tables.InstancesIn(tx, s) {
			f(s, i, zone.Values(n, s, i, nil))
		}
	}
}

// count is how many record sets a zone has: its instances', and the two that it has always.
func count(tx store.Tx, n *cloudmap.Namespace) int64 {
	all := 2
	each(tx, n, func(_ *cloudmap.Service, _ *cloudmap.Instance, values map[string]nodeconf.Value) { all += len(values) })
	return int64(all)
}

// recordSet is what an instance gives to a name. Several instances of one name are told apart by their ids.
func recordSet(n *cloudmap.Namespace, s *cloudmap.Service, i *cloudmap.Instance, v nodeconf.Value) shape.ResourceRecordSet {
	value := v.Value
	if v.Type == shape.RRTypeSrv || v.Type == shape.RRTypeCname {
		value += "."
	}
	set := shape.ResourceRecordSet{Name: aws.Ptr(v.Name + "."), Type: aws.Ptr(v.Type), TTL: aws.Ptr(int64(v.TTL)), ResourceRecords: []shape.ResourceRecord{{Value: &value}}}
	if v.Name != n.Domain(s.Name) {
		return set // the name of one instance, which SRV records point to
	}
	set.SetIdentifier = &i.ID
	if v.Weighted {
		set.Weight = aws.Ptr[int64](1)
	} else {
		set.MultiValueAnswer = aws.Ptr(true)
	}
	return set
}

func order(x, y shape.ResourceRecordSet) int {
	return cmp.Or(cmp.Compare(reversed(*x.Name), reversed(*y.Name)), cmp.Compare(*x.Type, *y.Type), cmp.Compare(aws.Val(x.SetIdentifier), aws.Val(y.SetIdentifier)))
}

// ListResourceRecordSets answers a page of a zone's, from a name, type and identifier on.
func (a *API) ListResourceRecordSets(ctx context.Context, c wire.Call, in *shape.ListResourceRecordSetsRequest) (*shape.ListResourceRecordSetsResponse, error) {
	n, err := size(in.MaxItems, mostRecords)
	if err != nil {
		return nil, err
	}
	if in.StartRecordType != nil && in.StartRecordName == nil || in.StartRecordIdentifier != nil && in.StartRecordType == nil {
		return nil, errorf(shape.CodeInvalidInput, "A record type can be given with a record name only, and an identifier with both")
	}
	out := &shape.ListResourceRecordSetsResponse{ResourceRecordSets: []shape.ResourceRecordSet{}, MaxItems: aws.Ptr(strconv.Itoa(n))}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		z, err := zoneOf(tx, c.Account, aws.Val(in.HostedZoneId))
		if err != nil {
			return err
		}
		all := recordSets(tx, z)
		if in.StartRecordName != nil {
			from := shape.ResourceRecordSet{Name: in.StartRecordName, Type: aws.Ptr(aws.Val(in.StartRecordType)), SetIdentifier: in.StartRecordIdentifier}
			all = slices.DeleteFunc(all, func(r shape.ResourceRecordSet) bool { return order(r, from) < 0 })
		}
		page, next := cut(all, n)
		out.ResourceRecordSets = append(out.ResourceRecordSets, page...)
		out.IsTruncated = aws.Ptr(next != nil)
		if next != nil {
			out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier = next.Name, next.Type, next.SetIdentifier
		}
		return nil
	})
	return out, err
}
