package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloud "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// narrowVPC is a VPC of one subnet in which one address is left.
func narrowVPC(t testing.TB) (subnet, left string) {
	t.Helper()
	c := region.EC2()
	_, subnet = makeVPC(t, "10.78.0.0/28", "10.78.0.0/28")
	const last = 14
	for k := 4; k < last; k++ {
		i, err := c.CreateNetworkInterface(t.Context(), &cloud.CreateNetworkInterfaceInput{SubnetId: &subnet, PrivateIpAddress: aws.String(fmt.Sprint("10.78.0.", k))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // before the VPC
			if _, err := c.DeleteNetworkInterface(context.Background(), &cloud.DeleteNetworkInterfaceInput{NetworkInterfaceId: i.NetworkInterface.NetworkInterfaceId}); err != nil {
				t.Error(err)
			}
		})
	}
	return subnet, fmt.Sprint("10.78.0.", last)
}

// Two tasks of a node with one address, in two VPCs: the metadata endpoint tells each of itself.
func TestAwsvpcTwins(t *testing.T) {
	t.Parallel()
	definition := register(t, private(define(t, script("idle", idle))))
	var twins []vpcTask
	for range 2 {
		sub, left := narrowVPC(t)
		v := vpcTaskOf(t, region.AwaitTask(t, startWith(t, &ecs.RunTaskInput{TaskDefinition: &definition, NetworkConfiguration: &types.NetworkConfiguration{
			AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{sub}},
		}}), "RUNNING"))
		equal(t, "address", v.address, left)
		twins = append(twins, v)
	}
	for _, v := range twins {
		got, err := v.fetchFrom("http://169.254.170.2/v2/metadata")
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range twins {
			if told := strings.Contains(got, *other.TaskArn); told != (other.TaskArn == v.TaskArn) {
				t.Errorf("%s is told of %s: %t", *v.TaskArn, *other.TaskArn, told)
			}
		}
	}
}
