package route53api

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/route53"
)

var home = cloudmap.Home{Account: "000000000000", Region: "us-east-1"}

// world has two private zones, a public one, and one of another account.
func world(t *testing.T) *API {
	t.Helper()
	s := mem.Open(tables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i, name := range []string{"b.internal", "a.internal", "example.com"} {
			n := &cloudmap.Namespace{Home: home, ID: fmt.Sprintf("ns-%d", i), Name: name, Type: "DNS_PRIVATE", VPC: "vpc-1", Zone: fmt.Sprintf("Z%d", i), SOATTL: 15}
			if name == "example.com" {
				n.Type, n.VPC = "DNS_PUBLIC", ""
			}
			tables.Namespaces.Put(tx, n)
		}
		other := cloudmap.Home{Account: "111111111111", Region: "us-east-1"}
		tables.Namespaces.Put(tx, &cloudmap.Namespace{Home: other, ID: "ns-9", Name: "theirs.internal", Type: "DNS_PRIVATE", VPC: "vpc-1", Zone: "Z9"})
		tables.Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-a", Namespace: "ns-0", Name: "web", Type: "DNS_HTTP", Routing: "MULTIVALUE", Records: []cloudmap.Record{{Type: "A", TTL: 10}}})
		tables.Services.Put(tx, &cloudmap.Service{Home: home, ID: "srv-b", Namespace: "ns-0", Name: "db", Type: "DNS_HTTP", Routing: "WEIGHTED", Records: []cloudmap.Record{{Type: "SRV", TTL: 20}}})
		for _, r := range []tables.Registration{{Service: "srv-a", Instance: "i1"}, {Service: "srv-a", Instance: "i2"}, {Service: "srv-b", Instance: "i3"}} {
			r.Home, r.Attributes = home, map[string]string{"AWS_INSTANCE_IPV4": "10.0.0." + r.Instance[1:], "AWS_INSTANCE_PORT": "5432"}
			if _, err := tables.RegisterInstance(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(s)
}

var call = wire.Call{Account: home.Account, Region: "us-east-1", Service: "route53"}

func must[Out any](t *testing.T) func(*Out, error) *Out {
	t.Helper()
	return func(out *Out, err error) *Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func fails(t *testing.T, err error, code string) {
	t.Helper()
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestHostedZones(t *testing.T) {
	a := world(t)
	got := must[shape.GetHostedZoneResponse](t)(a.GetHostedZone(t.Context(), call, &shape.GetHostedZoneRequest{Id: aws.Ptr("Z0")}))
	if *got.HostedZone.Id != "/hostedzone/Z0" || *got.HostedZone.Name != "b.internal." || !*got.HostedZone.Config.PrivateZone ||
		*got.VPCs[0].VPCId != "vpc-1" || *got.HostedZone.ResourceRecordSetCount != 6 || got.DelegationSet != nil {
		t.Errorf("%+v %+v", got.HostedZone, got.VPCs)
	}
	public := must[shape.GetHostedZoneResponse](t)(a.GetHostedZone(t.Context(), call, &shape.GetHostedZoneRequest{Id: aws.Ptr("/hostedzone/Z2")}))
	if len(public.DelegationSet.NameServers) != 4 || public.VPCs != nil {
		t.Errorf("%+v", public)
	}
	for _, id := range []string{"Z9", "Z", ""} {
		_, err := a.GetHostedZone(t.Context(), call, &shape.GetHostedZoneRequest{Id: &id})
		fails(t, err, "NoSuchHostedZone")
	}
	tags := must[shape.ListTagsForResourceResponse](t)(a.ListTagsForResource(t.Context(), call,
		&shape.ListTagsForResourceRequest{ResourceId: aws.Ptr("Z0"), ResourceType: aws.Ptr("hostedzone")}))
	if len(tags.ResourceTagSet.Tags) != 0 {
		t.Errorf("%+v", tags)
	}
	_, err := a.GetChange(t.Context(), call, &shape.GetChangeRequest{Id: aws.Ptr("/change/C1")})
	fails(t, err, "NoSuchChange")
}

func TestListsOfZones(t *testing.T) {
	a := world(t)
	var ids []string
	in := &shape.ListHostedZonesRequest{MaxItems: aws.Ptr("2")}
	for more := true; more; {
		out := must[shape.ListHostedZonesResponse](t)(a.ListHostedZones(t.Context(), call, in))
		for _, z := range out.HostedZones {
			ids = append(ids, *z.Id)
		}
		more, in.Marker = *out.IsTruncated, out.NextMarker
	}
	if got := strings.Join(ids, " "); got != "/hostedzone/Z0 /hostedzone/Z1 /hostedzone/Z2" {
		t.Error(got)
	}
	privates := must[shape.ListHostedZonesResponse](t)(a.ListHostedZones(t.Context(), call, &shape.ListHostedZonesRequest{HostedZoneType: aws.Ptr("PrivateHostedZone")}))
	if len(privates.HostedZones) != 2 {
		t.Errorf("%d private zones", len(privates.HostedZones))
	}
	names := func(in *shape.ListHostedZonesByNameRequest) string {
		var all []string
		for _, z := range must[shape.ListHostedZonesByNameResponse](t)(a.ListHostedZonesByName(t.Context(), call, in)).HostedZones {
			all = append(all, *z.Name)
		}
		return strings.Join(all, " ")
	}
	for want, in := range map[string]*shape.ListHostedZonesByNameRequest{
		"example.com. a.internal. b.internal.": {},
		"b.internal.":                          {DNSName: aws.Ptr("b.internal")},
		"a.internal. b.internal.":              {DNSName: aws.Ptr("a.internal.")},
		"a.internal.":                          {DNSName: aws.Ptr("a.internal."), MaxItems: aws.Ptr("1")},
	} {
		if got := names(in); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	in2 := &shape.ListHostedZonesByVPCRequest{VPCId: aws.Ptr("vpc-1"), VPCRegion: aws.Ptr("us-east-1"), MaxItems: aws.Ptr("1")}
	first := must[shape.ListHostedZonesByVPCResponse](t)(a.ListHostedZonesByVPC(t.Context(), call, in2))
	in2.NextToken = first.NextToken
	second := must[shape.ListHostedZonesByVPCResponse](t)(a.ListHostedZonesByVPC(t.Context(), call, in2))
	if *first.HostedZoneSummaries[0].HostedZoneId != "Z0" || *second.HostedZoneSummaries[0].HostedZoneId != "Z1" || second.NextToken != nil {
		t.Errorf("%+v %+v", first, second)
	}
	_, err := a.ListHostedZones(t.Context(), call, &shape.ListHostedZonesRequest{MaxItems: aws.Ptr("many")})
	fails(t, err, "InvalidInput")
}

func TestRecordsOfAZone(t *testing.T) {
	a := world(t)
	var all []string
	in := &shape.ListResourceRecordSetsRequest{HostedZoneId: aws.Ptr("Z0"), MaxItems: aws.Ptr("2")}
	for more := true; more; {
		out := must[shape.ListResourceRecordSetsResponse](t)(a.ListResourceRecordSets(t.Context(), call, in))
		for _, r := range out.ResourceRecordSets {
			all = append(all, fmt.Sprintf("%s %s %d %s%v %d %s", *r.Name, *r.Type, *r.TTL, aws.Val(r.SetIdentifier), aws.Val(r.MultiValueAnswer), aws.Val(r.Weight), *r.ResourceRecords[0].Value))
		}
		more, in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = *out.IsTruncated, out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	want := []string{
		"b.internal. NS 172800 false 0 ns-1536.awsdns-00.co.uk.",
		"b.internal. SOA 15 false 0 ns-1536.awsdns-00.co.uk. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
		"db.b.internal. SRV 20 i3false 1 1 1 5432 i3.db.b.internal.",
		"i3.db.b.internal. A 20 false 0 10.0.0.3",
		"web.b.internal. A 10 i1true 0 10.0.0.1",
		"web.b.internal. A 10 i2true 0 10.0.0.2",
	}
	if got := strings.Join(all, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	_, err := a.ListResourceRecordSets(t.Context(), call, &shape.ListResourceRecordSetsRequest{HostedZoneId: aws.Ptr("Z9")})
	fails(t, err, "NoSuchHostedZone")
	_, err = a.ListResourceRecordSets(t.Context(), call, &shape.ListResourceRecordSetsRequest{HostedZoneId: aws.Ptr("Z0"), StartRecordType: aws.Ptr("A")})
	fails(t, err, "InvalidInput")
}
