package clients

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/installation"
)

// refuses says that a call was refused with a code that Terraform and others compare.
func refuses(t *testing.T, code string, err error) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func filtered(name, value string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: []string{value}}
}

func vpcTags(kind types.ResourceType) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("terraform")}}}}
}

// stack is what the networks of a Terraform module are.
type stack struct {
	*testing.T
	*ec2.Client
	vpc, subnet, table, gateway, allocation, nat, association *string
}

// The life of aws_vpc, aws_internet_gateway, aws_subnet, aws_route_table, aws_route_table_association, aws_eip and aws_nat_gateway: the calls,
// filters and codes of the provider, with the SDK's own waiters.
func TestTerraformNetwork(t *testing.T) {
	t.Parallel()
	s := &stack{T: t, Client: region.EC2()}
	s.makeVPC()
	s.makeRoutes()
	s.makeNAT()
	s.wrongOrder()
	s.destroy()
}

func (s *stack) makeVPC() {
	ctx := s.Context()
	v := must[ec2.CreateVpcOutput](s.T)(s.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"), InstanceTenancy: types.TenancyDefault, TagSpecifications: vpcTags(types.ResourceTypeVpc)})).Vpc
	s.vpc = v.VpcId
	if err := ec2.NewVpcAvailableWaiter(s.Client, func(o *ec2.VpcAvailableWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{*s.vpc}}, installation.Patience); err != nil {
		s.Fatal(err)
	}
	must[ec2.ModifyVpcAttributeOutput](s.T)(s.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: s.vpc, EnableDnsHostnames: &types.AttributeBooleanValue{Value: aws.Bool(true)}}))
	for _, name := range []types.VpcAttributeName{types.VpcAttributeNameEnableDnsHostnames, types.VpcAttributeNameEnableDnsSupport, types.VpcAttributeNameEnableNetworkAddressUsageMetrics} {
		must[ec2.DescribeVpcAttributeOutput](s.T)(s.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: s.vpc, Attribute: name}))
	}
	acls := must[ec2.DescribeNetworkAclsOutput](s.T)(s.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []types.Filter{filtered("default", "true"), filtered("vpc-id", *s.vpc)}}))
	main := must[ec2.DescribeRouteTablesOutput](s.T)(s.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filtered("association.main", "true"), filtered("vpc-id", *s.vpc)}}))
	groups := must[ec2.DescribeSecurityGroupsOutput](s.T)(s.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{filtered("group-name", "default"), filtered("vpc-id", *s.vpc)}}))
	if len(acls.NetworkAcls) != 1 || len(main.RouteTables) != 1 || len(groups.SecurityGroups) != 1 {
		s.Fatalf("%d ACLs, %d main tables, %d groups", len(acls.NetworkAcls), len(main.RouteTables), len(groups.SecurityGroups))
	}
}

func (s *stack) makeRoutes() {
	ctx := s.Context()
	s.gateway = must[ec2.CreateInternetGatewayOutput](s.T)(s.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{TagSpecifications: vpcTags(types.ResourceTypeInternetGateway)})).InternetGateway.InternetGatewayId
	must[ec2.AttachInternetGatewayOutput](s.T)(s.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: s.gateway, VpcId: s.vpc}))
	g := must[ec2.DescribeInternetGatewaysOutput](s.T)(s.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{*s.gateway}})).InternetGateways[0]
	if len(g.Attachments) != 1 || string(g.Attachments[0].State) != "available" {
		s.Errorf("attachments %+v", g.Attachments)
	}
	s.subnet = must[ec2.CreateSubnetOutput](s.T)(s.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: s.vpc, CidrBlock: aws.String("10.0.1.0/24"), AvailabilityZone: aws.String("us-east-1a"), TagSpecifications: vpcTags(types.ResourceTypeSubnet)})).Subnet.SubnetId
	must[ec2.ModifySubnetAttributeOutput](s.T)(s.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{SubnetId: s.subnet, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: aws.Bool(true)}}))
	if err := ec2.NewSubnetAvailableWaiter(s.Client, func(o *ec2.SubnetAvailableWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{*s.subnet}}, installation.Patience); err != nil {
		s.Fatal(err)
	}
	s.table = must[ec2.CreateRouteTableOutput](s.T)(s.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: s.vpc, ClientToken: aws.String("terraform-1"), TagSpecifications: vpcTags(types.ResourceTypeRouteTable)})).RouteTable.RouteTableId
	must[ec2.CreateRouteOutput](s.T)(s.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: s.table, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: s.gateway}))
	s.association = must[ec2.AssociateRouteTableOutput](s.T)(s.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: s.table, SubnetId: s.subnet})).AssociationId
	out := must[ec2.DescribeRouteTablesOutput](s.T)(s.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{filtered("association.route-table-association-id", *s.association)}}))
	if len(out.RouteTables) != 1 || len(out.RouteTables[0].Routes) != 2 || out.RouteTables[0].Associations[0].AssociationState.State != types.RouteTableAssociationStateCodeAssociated {
		s.Errorf("%+v", out.RouteTables)
	}
}

func (s *stack) makeNAT() {
	ctx := s.Context()
	s.allocation = must[ec2.AllocateAddressOutput](s.T)(s.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc, TagSpecifications: vpcTags(types.ResourceTypeElasticIp)})).AllocationId
	must[ec2.DescribeAddressesAttributeOutput](s.T)(s.DescribeAddressesAttribute(ctx, &ec2.DescribeAddressesAttributeInput{AllocationIds: []string{*s.allocation}, Attribute: types.AddressAttributeNameDomainName}))
	s.nat = must[ec2.CreateNatGatewayOutput](s.T)(s.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{SubnetId: s.subnet, AllocationId: s.allocation, ConnectivityType: types.ConnectivityTypePublic,
		ClientToken: aws.String("terraform-2"), TagSpecifications: vpcTags(types.ResourceTypeNatgateway)})).NatGateway.NatGatewayId
	in := &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{*s.nat}}
	if err := ec2.NewNatGatewayAvailableWaiter(s.Client, func(o *ec2.NatGatewayAvailableWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, in, installation.Patience); err != nil {
		s.Fatal(err)
	}
	address := must[ec2.DescribeAddressesOutput](s.T)(s.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{*s.allocation}})).Addresses[0]
	n := must[ec2.DescribeNatGatewaysOutput](s.T)(s.DescribeNatGateways(ctx, in)).NatGateways[0].NatGatewayAddresses[0]
	if aws.ToString(n.PublicIp) != aws.ToString(address.PublicIp) || aws.ToString(n.NetworkInterfaceId) != aws.ToString(address.NetworkInterfaceId) {
		s.Errorf("%+v, %+v", n, address)
	}
}

// wrongOrder deletes what something else needs, and asks for what never was.
func (s *stack) wrongOrder() {
	ctx := s.Context()
	for name, call := range map[string]func() error{
		"vpc":    func() error { _, err := s.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: s.vpc}); return err },
		"subnet": func() error { _, err := s.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: s.subnet}); return err },
		"table": func() error {
			_, err := s.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: s.table})
			return err
		},
		"gateway": func() error {
			_, err := s.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: s.gateway})
			return err
		},
		"detach": func() error {
			_, err := s.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: s.gateway, VpcId: s.vpc})
			return err
		},
	} {
		s.Log(name)
		refuses(s.T, "DependencyViolation", call())
	}
	_, err := s.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: s.allocation})
	refuses(s.T, "InvalidIPAddress.InUse", err)
	for code, call := range s.strangers() {
		refuses(s.T, code, call(ctx))
	}
}

// strangers are the codes by which the provider knows that something is gone.
func (s *stack) strangers() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"InvalidVpcID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-0123456789abcdef0"}})
			return err
		},
		"InvalidSubnetID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-0123456789abcdef0"}})
			return err
		},
		"InvalidRouteTableID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{"rtb-0123456789abcdef0"}})
			return err
		},
		"InvalidInternetGatewayID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{"igw-0123456789abcdef0"}})
			return err
		},
		"NatGatewayNotFound": func(ctx context.Context) error {
			_, err := s.DescribeNatGateways(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{"nat-0123456789abcdef0"}})
			return err
		},
		"InvalidAllocationID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{"eipalloc-0123456789abcdef0"}})
			return err
		},
		"InvalidNetworkAclID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{"acl-0123456789abcdef0"}})
			return err
		},
		"InvalidDhcpOptionID.NotFound": func(ctx context.Context) error {
			_, err := s.DescribeDhcpOptions(ctx, &ec2.DescribeDhcpOptionsInput{DhcpOptionsIds: []string{"dopt-0123456789abcdef0"}})
			return err
		},
	}
}

// destroy deletes everything in the order of its dependencies.
func (s *stack) destroy() {
	ctx := s.Context()
	must[ec2.DeleteNatGatewayOutput](s.T)(s.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: s.nat}))
	if err := ec2.NewNatGatewayDeletedWaiter(s.Client, func(o *ec2.NatGatewayDeletedWaiterOptions) { o.MinDelay = 10 * time.Millisecond }).Wait(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{*s.nat}}, installation.Patience); err != nil {
		s.Fatal(err)
	}
	must[ec2.ReleaseAddressOutput](s.T)(s.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: s.allocation}))
	must[ec2.DisassociateRouteTableOutput](s.T)(s.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: s.association}))
	must[ec2.DeleteRouteTableOutput](s.T)(s.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: s.table}))
	must[ec2.DeleteSubnetOutput](s.T)(s.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: s.subnet}))
	must[ec2.DetachInternetGatewayOutput](s.T)(s.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: s.gateway, VpcId: s.vpc}))
	must[ec2.DeleteInternetGatewayOutput](s.T)(s.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: s.gateway}))
	must[ec2.DeleteVpcOutput](s.T)(s.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: s.vpc}))
	_, err := s.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{*s.vpc}})
	refuses(s.T, "InvalidVpcID.NotFound", err)
}

// Pages of many subnets, with the SDK's own paginator.
func TestPagesOfSubnets(t *testing.T) {
	t.Parallel()
	c := region.EC2()
	v := must[ec2.CreateVpcOutput](t)(c.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})).Vpc.VpcId
	var made, seen []string
	for _, cidr := range []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24", "10.0.5.0/24", "10.0.6.0/24"} {
		made = append(made, *must[ec2.CreateSubnetOutput](t)(c.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: v, CidrBlock: &cidr})).Subnet.SubnetId)
	}
	pages := ec2.NewDescribeSubnetsPaginator(c, &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(5), Filters: []types.Filter{filtered("vpc-id", *v)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Subnets {
			seen = append(seen, *s.SubnetId)
		}
	}
	if slices.Sort(made); !slices.Equal(made, seen) {
		t.Errorf("%v, want %v", seen, made)
	}
	for _, id := range made {
		must[ec2.DeleteSubnetOutput](t)(c.DeleteSubnet(t.Context(), &ec2.DeleteSubnetInput{SubnetId: &id}))
	}
	must[ec2.DeleteVpcOutput](t)(c.DeleteVpc(t.Context(), &ec2.DeleteVpcInput{VpcId: v}))
}

// Networks by hand, with the CLI and its filters.
func TestCLINetwork(t *testing.T) {
	t.Parallel()
	out := shell(t, `
aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[].CidrBlock' --output text
v=$(aws ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=cli}]' --query Vpc.VpcId --output text)
aws ec2 wait vpc-available --vpc-ids "$v"
s=$(aws ec2 create-subnet --vpc-id "$v" --cidr-block 10.0.0.0/24 --query Subnet.SubnetId --output text)
aws ec2 describe-subnets --filters Name=vpc-id,Values="$v" --query 'Subnets[].[CidrBlock,AvailableIpAddressCount]' --output text
aws ec2 describe-tags --filters Name=resource-id,Values="$v" --query 'Tags[].[ResourceType,Key,Value]' --output text
{ aws ec2 delete-vpc --vpc-id "$v" 2>&1 || true; } | grep -o DependencyViolation | head -1
aws ec2 delete-subnet --subnet-id "$s"
aws ec2 delete-vpc --vpc-id "$v"
{ aws ec2 describe-vpcs --vpc-ids "$v" 2>&1 || true; } | grep -o 'InvalidVpcID.NotFound' | head -1
`)
	if want := "172.31.0.0/16\n10.0.0.0/24\t251\nvpc\tName\tcli\nDependencyViolation\nInvalidVpcID.NotFound"; strings.TrimSpace(out) != want {
		t.Errorf("%s\nwant %s", out, want)
	}
}
