package wire

import (
	"testing"

	"github.com/berth-ecs/berth/wire/constraint"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ec2"
)

func TestEC2NamesTheFirstBrokenConstraint(t *testing.T) {
	for want, in := range map[string]*ec2.DescribeNetworkInterfacesRequest{
		"": {},
		"InvalidParameterValue: Value (2) for parameter maxResults is invalid. Member must have value greater than or equal to 5.": {MaxResults: aws.Ptr(int32(2))},
	} {
		var got string
		if found := constraint.Check(&ec2.Model, ec2.OpDescribeNetworkInterfaces.Info.Input, in); found != nil {
			code, message := ec2Broken(found[0])
			got = code + ": " + message
		}
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	found := constraint.Check(&ec2.Model, ec2.OpCreateSubnet.Info.Input, &ec2.CreateSubnetRequest{})
	if code, message := ec2Broken(found[0]); code != "MissingParameter" || message != "The request must contain the parameter vpcId" {
		t.Errorf("%s: %s", code, message)
	}
}
