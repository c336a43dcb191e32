package stock

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: &name, Values: values}
}

// The way of a client: a network of its own, a group, a task in it, what EC2 says of the task's interface, and the end in the order in which
// things depend on each other.
func TestAwsvpcAsClientsSeeIt(t *testing.T) {
	s := newServer(t)
	cloud := ec2.New(ec2.Options{Region: zone, BaseEndpoint: aws.String(s.plain), Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")})
	vpc := must(cloud.CreateVpc(s.ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.7.0.0/16")}))(t).Vpc
	must(cloud.ModifyVpcAttribute(s.ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpc.VpcId, EnableDnsHostnames: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)}}))(t)
	subnet := must(cloud.CreateSubnet(s.ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.7.1.0/28"), AvailabilityZone: aws.String(zone + "a")}))(t).Subnet
	group := must(cloud.CreateSecurityGroup(s.ctx, &ec2.CreateSecurityGroupInput{VpcId: vpc.VpcId, GroupName: aws.String("web"), Description: aws.String("web")}))(t).GroupId
	own := s.berthNode("00000000-0000-4000-8000-000000000002")
	own.manifest()
	s.defineWired("net")
	out := must(s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("net"), Count: aws.Int32(2), NetworkConfiguration: &types.NetworkConfiguration{
		AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{*subnet.SubnetId}, SecurityGroups: []string{*group}}}}))(t)
	if len(out.Tasks) != 2 {
		t.Fatalf("%+v", out.Failures)
	}
	for _, task := range out.Tasks {
		own.wired()
		is := must(cloud.DescribeNetworkInterfaces(s.ctx, &ec2.DescribeNetworkInterfacesInput{Filters: []ec2types.Filter{
			filter("addresses.private-ip-address", details(task)["privateIPv4Address"]), filter("vpc-id", *vpc.VpcId), filter("group-id", *group)}}))(t).NetworkInterfaces
		if len(is) != 1 {
			t.Fatalf("interfaces %+v of %v", is, details(task))
		}
		want := map[string]string{"networkInterfaceId": *is[0].NetworkInterfaceId, "subnetId": *is[0].SubnetId, "macAddress": *is[0].MacAddress,
			"privateIPv4Address": *is[0].PrivateIpAddress, "privateDnsName": aws.ToString(is[0].PrivateDnsName)}
		if d := cmp.Diff(want, details(task)); d != "" {
			t.Errorf("EC2 and ECS: %s", d)
		}
		if is[0].Status != ec2types.NetworkInterfaceStatusInUse || !aws.ToBool(is[0].RequesterManaged) || aws.ToString(is[0].Description) == "" {
			t.Errorf("%+v", is[0])
		}
		if _, err := cloud.DeleteNetworkInterface(s.ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: is[0].NetworkInterfaceId}); err == nil {
			t.Error("the interface of a task was deleted")
		}
	}
	free := func() int32 {
		return *must(cloud.DescribeSubnets(s.ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{*subnet.SubnetId}}))(t).Subnets[0].AvailableIpAddressCount
	}
	if n := free(); n != 9 { // of sixteen, five are AWS's
		t.Errorf("%d addresses are free", n)
	}
	if _, err := cloud.DeleteSubnet(s.ctx, &ec2.DeleteSubnetInput{SubnetId: subnet.SubnetId}); err == nil {
		t.Error("a subnet with tasks was deleted")
	}
	if _, err := cloud.DeleteSecurityGroup(s.ctx, &ec2.DeleteSecurityGroupInput{GroupId: group}); err == nil {
		t.Error("a group of tasks was deleted")
	}
	for _, task := range out.Tasks {
		must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: task.TaskArn}))(t)
		own.raw(*task.TaskArn, `"status":"STOPPED","containers":[{"containerName":"web","status":"STOPPED","exitCode":0}]`)
	}
	if n := free(); n != 11 {
		t.Errorf("%d addresses are free after the end", n)
	}
	must(cloud.DeleteSecurityGroup(s.ctx, &ec2.DeleteSecurityGroupInput{GroupId: group}))(t)
	must(cloud.DeleteSubnet(s.ctx, &ec2.DeleteSubnetInput{SubnetId: subnet.SubnetId}))(t)
	must(cloud.DeleteVpc(s.ctx, &ec2.DeleteVpcInput{VpcId: vpc.VpcId}))(t)
}
