package region

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
)

// Clients are told of every service of which something is served, as those that Terraform sends to the region.
func TestServices(t *testing.T) {
	if got := strings.Join(Services(), " "); got != "acm ec2 ecr ecs elbv2 route53 servicediscovery sts" {
		t.Errorf("services %s", got)
	}
}

// EC2 answers for every region that the edge answers for, each with zones of its own.
func TestEC2KnowsEveryRegion(t *testing.T) {
	s := config.Settings{Region: "us-east-1", Regions: []string{"us-east-1", "eu-west-1"}, Zones: []string{"us-east-1a", "us-east-1b"}}
	for want, s := range map[string]config.Settings{
		"eu-west-1 us-east-1: eu-west-1a eu-west-1b eu-west-1c": s,
		"us-east-1: us-east-1a us-east-1b":                      {Region: "us-east-1", Regions: []string{"us-east-1"}, Zones: s.Zones},
		"sa-east-1 us-east-1: sa-east-1a sa-east-1b sa-east-1c": {Region: "us-east-1", Regions: []string{config.AnyRegion}, Zones: s.Zones},
	} {
		api, caller := newVPC(s, nil), wire.Call{Account: "000000000000", Region: want[:9]}
		regions, err := api.DescribeRegions(t.Context(), caller, &shape.DescribeRegionsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		zones, err := api.DescribeAvailabilityZones(t.Context(), caller, &shape.DescribeAvailabilityZonesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range regions.Regions {
			got = append(got, *r.RegionName)
		}
		got[len(got)-1] += ":"
		for _, z := range zones.AvailabilityZones {
			got = append(got, *z.ZoneName)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
