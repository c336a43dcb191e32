package vpcapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
	"github.com/berth-ecs/berth/wire/wiretest"
)

var api = New(Config{
	Regions: []string{"us-east-1", "eu-west-1"},
	Zones:   func(region string) []string { return []string{region + "a", region + "b", region + "c"} },
})

var caller = wire.Call{Account: "000000000000", Region: "us-east-1"}

func TestOperationsAsk(t *testing.T) {
	m := wire.NewMux()
	api.Bind(m)
	wiretest.Asks(t, m)
}

func filter(name string, values ...string) []shape.Filter {
	return []shape.Filter{{Name: &name, Values: values}}
}

func TestDescribeAvailabilityZones(t *testing.T) {
	for name, c := range map[string]struct {
		in   shape.DescribeAvailabilityZonesRequest
		want string // the zones' ids, or the error
	}{
		"all":          {shape.DescribeAvailabilityZonesRequest{}, "use1-az1 use1-az2 use1-az3"},
		"by name":      {shape.DescribeAvailabilityZonesRequest{ZoneNames: []string{"us-east-1b"}}, "use1-az2"},
		"by id":        {shape.DescribeAvailabilityZonesRequest{ZoneIds: []string{"use1-az3"}}, "use1-az3"},
		"filtered":     {shape.DescribeAvailabilityZonesRequest{Filters: filter("zone-name", "*a", "*c")}, "use1-az1 use1-az3"},
		"none fits":    {shape.DescribeAvailabilityZonesRequest{Filters: filter("state", "impaired")}, ""},
		"unknown name": {shape.DescribeAvailabilityZonesRequest{ZoneNames: []string{"us-east-1z"}}, "InvalidParameterValue: Invalid availability zone: [us-east-1z]"},
		"bad filter":   {shape.DescribeAvailabilityZonesRequest{Filters: filter("colour", "red")}, "InvalidParameterValue: The filter 'colour' is invalid"},
		"both": {shape.DescribeAvailabilityZonesRequest{ZoneNames: []string{"us-east-1a"}, ZoneIds: []string{"use1-az1"}},
			"InvalidParameterCombination: The parameters ZoneName and ZoneId cannot be used together"},
		"dry run": {shape.DescribeAvailabilityZonesRequest{DryRun: aws.Ptr(true)}, "DryRunOperation: Request would have succeeded, but DryRun flag is set."},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := guard("DescribeAvailabilityZones", api.DescribeAvailabilityZones)(t.Context(), caller, &c.in)
			var ids []string
			if err == nil {
				for _, z := range out.AvailabilityZones {
					ids = append(ids, *z.ZoneId)
				}
			}
			if got := strings.Join(ids, " ") + said(err); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestDescribeRegions(t *testing.T) {
	for name, c := range map[string]struct {
		in   shape.DescribeRegionsRequest
		want string
	}{
		"all":      {shape.DescribeRegionsRequest{}, "eu-west-1 us-east-1"},
		"one":      {shape.DescribeRegionsRequest{RegionNames: []string{"eu-west-1"}}, "eu-west-1"},
		"filtered": {shape.DescribeRegionsRequest{Filters: filter("endpoint", "*us*")}, "us-east-1"},
		"unknown":  {shape.DescribeRegionsRequest{RegionNames: []string{"mars-1"}}, "InvalidParameterValue: Invalid region provided: 'mars-1'"},
		"no value": {shape.DescribeRegionsRequest{Filters: filter("endpoint")}, "InvalidParameterValue: The filter 'endpoint' has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := guard("DescribeRegions", api.DescribeRegions)(t.Context(), caller, &c.in)
			var names []string
			if err == nil {
				for _, r := range out.Regions {
					names = append(names, *r.RegionName)
				}
			}
			if got := strings.Join(names, " ") + said(err); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Where every region is answered for, the one that is asked in and those that are named are there.
func TestDescribeEveryRegion(t *testing.T) {
	every := New(Config{Regions: []string{"us-east-1"}, Also: func(r string) bool { return strings.HasSuffix(r, "-1") }})
	far := wire.Call{Account: "000000000000", Region: "sa-east-1"}
	for want, asked := range map[string][]string{"sa-east-1 us-east-1": nil, "ap-south-1": {"ap-south-1"}} {
		out, err := every.DescribeRegions(t.Context(), far, &shape.DescribeRegionsRequest{RegionNames: asked})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range out.Regions {
			names = append(names, *r.RegionName)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%v: %s, want %s", asked, got, want)
		}
	}
	if _, err := every.DescribeRegions(t.Context(), far, &shape.DescribeRegionsRequest{RegionNames: []string{"mars"}}); err == nil {
		t.Error("mars is a region")
	}
}

func TestDescribeAccountAttributes(t *testing.T) {
	w := newWorld(t)
	out := try(w, w.DescribeAccountAttributes, shape.DescribeAccountAttributesRequest{AttributeNames: []string{"default-vpc"}})
	if len(out.AccountAttributes) != 1 || *out.AccountAttributes[0].AttributeValues[0].AttributeValue != w.standard().ID {
		t.Errorf("%+v", out)
	}
	out = try(w, w.DescribeAccountAttributes, shape.DescribeAccountAttributesRequest{})
	if len(out.AccountAttributes) != len(accountAttributes) || *out.AccountAttributes[4].AttributeValues[0].AttributeValue != "500" {
		t.Errorf("%+v", out.AccountAttributes)
	}
}

func said(err error) string {
	if e, ok := errors.AsType[*aws.Error](err); ok {
		return e.Code + ": " + e.Message
	}
	if err != nil {
		return "not an error of EC2: " + err.Error()
	}
	return ""
}
