package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloud "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// narrowVPC is a VPC of one subnet in which one address is left.
func narrowVPC(t testing.TB) (subnet, left string) {
	t.Helper()
	c := region.EC2()
	v, err := c.CreateVpc(t.Context(), &cloud.CreateVpcInput{CidrBlock: aws.String("10.78.0.0/28")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.CreateSubnet(t.Context(), &cloud.CreateSubnetInput{
		VpcId: v.Vpc.VpcId, CidrBlock: aws.String("10.78.0.0/28"), AvailabilityZone: aws.String(installation.Region + "a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var filled []string
	t.Cleanup(func() { // after the task in it
		ctx := context.Background()
		for _, id := range filled {
			if _, err := c.DeleteNetworkInterface(ctx, &cloud.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id}); err != nil {
				t.Error(err)
			}
		}
		_, err := c.DeleteSubnet(ctx, &cloud.DeleteSubnetInput{SubnetId: s.Subnet.SubnetId})
		for end := time.Now().Add(installation.Patience); err != nil && time.Now().Before(end); {
			_, err = c.DeleteSubnet(ctx, &cloud.DeleteSubnetInput{SubnetId: s.Subnet.SubnetId})
		}
		if err == nil {
			_, err = c.DeleteVpc(ctx, &cloud.DeleteVpcInput{VpcId: v.Vpc.VpcId})
		}
		if err != nil {
			t.Errorf("the VPC does not go: %v", err)
		}
	})
	const last = 14
	for k := 4; k < last; k++ {
		i, err := c.CreateNetworkInterface(t.Context(), &cloud.CreateNetworkInterfaceInput{SubnetId: s.Subnet.SubnetId, PrivateIpAddress: aws.String(fmt.Sprint("10.78.0.", k))})
		if err != nil {
			t.Fatal(err)
		}
		filled = append(filled, *i.NetworkInterface.NetworkInterfaceId)
	}
	return *s.Subnet.SubnetId, fmt.Sprint("10.78.0.", last)
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
