package clients

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/installation"
)

// denied says that a call was refused with a code that clients compare.
func denied(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func named(resource types.ResourceType) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: resource, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("groups")}}}}
}

// premises are a VPC with a subnet and a group, as aws_security_group begins one: its rule for everything out is taken away.
type premises struct {
	*testing.T
	*ec2.Client
	vpc, subnet, group string
}

func newPremises(t *testing.T) *premises {
	t.Helper()
	p := &premises{T: t, Client: region.EC2()}
	ctx := t.Context()
	p.vpc = *must[ec2.CreateVpcOutput](t)(p.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.20.0.0/16")})).Vpc.VpcId
	p.subnet = *must[ec2.CreateSubnetOutput](t)(p.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &p.vpc, CidrBlock: aws.String("10.20.1.0/24")})).Subnet.SubnetId
	out := must[ec2.CreateSecurityGroupOutput](t)(p.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("web"), Description: aws.String("Managed by Terraform"), VpcId: &p.vpc, TagSpecifications: named(types.ResourceTypeSecurityGroup),
	}))
	p.group = *out.GroupId
	must[ec2.RevokeSecurityGroupEgressOutput](t)(p.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: &p.group, IpPermissions: []types.IpPermission{
		{IpProtocol: aws.String("-1"), FromPort: aws.Int32(0), ToPort: aws.Int32(0), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}},
	}}))
	return p
}

func (p *premises) end() {
	p.Helper()
	ctx := p.Context()
	must[ec2.DeleteSecurityGroupOutput](p.T)(p.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &p.group}))
	_, err := p.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{p.group}})
	denied(p.T, err, "InvalidGroup.NotFound")
	must[ec2.DeleteSubnetOutput](p.T)(p.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &p.subnet}))
	must[ec2.DeleteVpcOutput](p.T)(p.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &p.vpc}))
}

// The life of aws_security_group and aws_security_group_rule.
func TestTerraformSecurityGroup(t *testing.T) {
	t.Parallel()
	p := newPremises(t)
	ctx := t.Context()
	ssh := []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22),
		IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8"), Description: aws.String("inside")}}, UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &p.group}}}}
	must[ec2.AuthorizeSecurityGroupIngressOutput](t)(p.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &p.group, IpPermissions: ssh}))
	_, err := p.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &p.group, IpPermissions: ssh})
	denied(t, err, "InvalidPermission.Duplicate")
	g := must[ec2.DescribeSecurityGroupsOutput](t)(p.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{p.group}})).SecurityGroups[0]
	if len(g.IpPermissions) != 1 || len(g.IpPermissions[0].IpRanges) != 1 || *g.IpPermissions[0].IpRanges[0].Description != "inside" || len(g.IpPermissions[0].UserIdGroupPairs) != 1 ||
		len(g.IpPermissionsEgress) != 0 || len(g.Tags) != 1 {
		t.Errorf("%+v", g)
	}
	_, err = p.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("x"), VpcId: &p.vpc})
	denied(t, err, "InvalidGroup.Duplicate")
	must[ec2.RevokeSecurityGroupIngressOutput](t)(p.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &p.group, IpPermissions: ssh}))
	_, err = p.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &p.group, IpPermissions: ssh})
	denied(t, err, "InvalidPermission.NotFound")
	_, err = p.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &p.vpc})
	denied(t, err, "DependencyViolation")
	p.end()
}

// The life of aws_vpc_security_group_ingress_rule.
func TestTerraformSecurityGroupRule(t *testing.T) {
	t.Parallel()
	p := newPremises(t)
	ctx := t.Context()
	made := must[ec2.AuthorizeSecurityGroupIngressOutput](t)(p.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &p.group, TagSpecifications: named(types.ResourceTypeSecurityGroupRule),
		IpPermissions: []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(80), ToPort: aws.Int32(80), IpRanges: []types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}}}},
	})).SecurityGroupRules
	id := *made[0].SecurityGroupRuleId
	look := func() (*ec2.DescribeSecurityGroupRulesOutput, error) {
		return p.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{id}})
	}
	must[ec2.ModifySecurityGroupRulesOutput](t)(p.ModifySecurityGroupRules(ctx, &ec2.ModifySecurityGroupRulesInput{GroupId: &p.group, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: &id, SecurityGroupRule: &types.SecurityGroupRuleRequest{IpProtocol: aws.String("-1"), CidrIpv4: aws.String("10.0.0.0/8"), Description: aws.String("all")}}}}))
	if r := must[ec2.DescribeSecurityGroupRulesOutput](t)(look()).SecurityGroupRules[0]; *r.IpProtocol != "-1" || *r.FromPort != -1 || *r.Description != "all" || len(r.Tags) != 1 || *r.GroupId != p.group {
		t.Errorf("%+v", r)
	}
	must[ec2.RevokeSecurityGroupIngressOutput](t)(p.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: &p.group, SecurityGroupRuleIds: []string{id}}))
	_, err := look()
	denied(t, err, "InvalidSecurityGroupRuleId.NotFound")
	p.end()
}

// The life of aws_network_interface, with the SDK's own waiter, and deletions in an order that is too early.
func TestTerraformNetworkInterface(t *testing.T) {
	t.Parallel()
	p := newPremises(t)
	ctx := t.Context()
	id := must[ec2.CreateNetworkInterfaceOutput](t)(p.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{
		SubnetId: &p.subnet, Groups: []string{p.group}, TagSpecifications: named(types.ResourceTypeNetworkInterface), ClientToken: aws.String("terraform"),
		PrivateIpAddresses: []types.PrivateIpAddressSpecification{{PrivateIpAddress: aws.String("10.20.1.50"), Primary: aws.Bool(true)}},
	})).NetworkInterface.NetworkInterfaceId
	which := &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*id}}
	quick := func(o *ec2.NetworkInterfaceAvailableWaiterOptions) { o.MinDelay = 10 * time.Millisecond }
	if err := ec2.NewNetworkInterfaceAvailableWaiter(p.Client, quick).Wait(ctx, which, installation.Patience); err != nil {
		t.Fatal(err)
	}
	must[ec2.ModifyNetworkInterfaceAttributeOutput](t)(p.ModifyNetworkInterfaceAttribute(ctx, &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: id, SourceDestCheck: &types.AttributeBooleanValue{Value: aws.Bool(false)}}))
	must[ec2.AssignPrivateIpAddressesOutput](t)(p.AssignPrivateIpAddresses(ctx, &ec2.AssignPrivateIpAddressesInput{NetworkInterfaceId: id, SecondaryPrivateIpAddressCount: aws.Int32(2)}))
	i := must[ec2.DescribeNetworkInterfacesOutput](t)(p.DescribeNetworkInterfaces(ctx, which)).NetworkInterfaces[0]
	if *i.PrivateIpAddress != "10.20.1.50" || len(i.PrivateIpAddresses) != 3 || *i.SourceDestCheck || i.Status != types.NetworkInterfaceStatusAvailable || len(i.TagSet) != 1 || i.Attachment != nil {
		t.Errorf("%+v", i)
	}
	_, err := p.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &p.group})
	denied(t, err, "DependencyViolation")
	_, err = p.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: &p.subnet})
	denied(t, err, "DependencyViolation")
	must[ec2.DeleteNetworkInterfaceOutput](t)(p.DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: id}))
	_, err = p.DescribeNetworkInterfaces(ctx, which)
	denied(t, err, "InvalidNetworkInterfaceID.NotFound")
	p.end()
}

// A container instance's ec2InstanceId is an instance of EC2's, with the primary interface of the machine.
func TestNodeIsAnInstance(t *testing.T) {
	t.Parallel()
	ctx, client := t.Context(), region.EC2()
	arns := must[ecs.ListContainerInstancesOutput](t)(region.ECS.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})).ContainerInstanceArns
	known := must[ecs.DescribeContainerInstancesOutput](t)(region.ECS.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: arns})).ContainerInstances
	if len(known) == 0 || known[0].Ec2InstanceId == nil {
		t.Fatalf("%+v", known)
	}
	out := must[ec2.DescribeInstancesOutput](t)(client.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*known[0].Ec2InstanceId}}))
	i := out.Reservations[0].Instances[0]
	if i.State.Name != types.InstanceStateNameRunning || len(i.NetworkInterfaces) != 1 || *i.NetworkInterfaces[0].Attachment.DeviceIndex != 0 || *i.SubnetId == "" {
		t.Errorf("%+v", i)
	}
	kind := must[ec2.DescribeInstanceTypesOutput](t)(client.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{i.InstanceType}})).InstanceTypes
	if len(kind) != 1 || *kind[0].VCpuInfo.DefaultVCpus < 1 || *kind[0].MemoryInfo.SizeInMiB < 1 {
		t.Errorf("%+v", kind)
	}
	_, err := client.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{*i.InstanceId}})
	denied(t, err, "UnsupportedOperation")
}

// What people type.
func TestGroupsByCLI(t *testing.T) {
	t.Parallel()
	out := shell(t, `
aws ec2 create-security-group --group-name cli --description cli --query length\(GroupId\)
aws ec2 authorize-security-group-ingress --group-name cli --protocol tcp --port 22 --cidr 10.0.0.0/8 --query SecurityGroupRules[0].IpProtocol --output text
aws ec2 describe-security-groups --group-names cli --query SecurityGroups[0].IpPermissions[0].IpRanges[0].CidrIp --output text
aws ec2 delete-security-group --group-name cli --query Return
aws ec2 describe-instances --query Reservations[0].Instances[0].State.Name --output text
`)
	if want := "20\ntcp\n10.0.0.0/8\ntrue\nrunning"; out != want {
		t.Errorf("output:\n%s\nwant:\n%s", out, want)
	}
}
