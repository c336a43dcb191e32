package fargate

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// In a public subnet a task with a public address goes out by the internet gateway, and is reached, by that address; one without does neither.
// In a private subnet it goes out with the address of the NAT gateway that its route leads to, and not at all without a route. Whoever is
// silent here has a twin that is not, from which one thing differs.
func wayOutAndIn(w *world) {
	o := w.outside()
	natted, table := w.privateSubnet("172.31.64.0/24")
	arns := []string{
		w.begin(w.subnet, types.AssignPublicIpEnabled), w.begin(w.subnet, types.AssignPublicIpDisabled), w.begin(natted, types.AssignPublicIpDisabled),
	}
	public, plain, private := w.running(arns[0]), w.running(arns[1]), w.running(arns[2])
	if public.public == "" || plain.public != "" || private.public != "" {
		w.Fatalf("public addresses %q, %q, %q; want the first's only", public.public, plain.public, private.public)
	}
	at := "http://" + public.public
	fromPlain, fromPrivate := through(at, through("http://"+plain.private, o.url())), through(at, through("http://"+private.private, o.url()))
	w.answers(&web, "the machine asks", at, "peer")
	w.answers(&web, "with a public address", through(at, o.url()), public.public)
	w.answers(&web, "the neighbour without is there", through(at, "http://"+plain.private), "peer")
	w.answers(&web, "the one in the private subnet is there", through(at, "http://"+private.private), "peer")
	w.silent(question{"without a public address", &web, fromPlain}, question{"without a route", &web, fromPrivate},
		question{"a port that the group does not open", o.client, at + ":81"})
	w.answers(o.client, "others reach a public address", at, "peer")
	w.allow(81)
	w.answers(o.client, "a port that the group opens now", at+":81", "peer")

	elastic := w.nat(table)
	w.answers(&web, "with a route to a NAT gateway", fromPrivate, elastic)
	w.deleteRoute(table)
	w.becomesSilent(question{"without the route again", &web, fromPrivate})
	w.silent(question{"without a public address, still", &web, fromPlain}, question{"a NAT gateway's address", o.client, "http://" + elastic})
	for _, arn := range arns {
		w.stop(&arn)
	}
}

// everywhere is the destination of the routes out.
const everywhere = "0.0.0.0/0"

// privateSubnet is a subnet of the default VPC with a route table of its own, which leads nowhere.
func (w *world) privateSubnet(cidr string) (subnet, table string) {
	w.Helper()
	ctx := w.Context()
	s, err := w.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: &w.vpc, CidrBlock: &cidr, AvailabilityZone: aws.String("us-east-1a")})
	if err != nil {
		w.Fatal(err)
	}
	r, err := w.ec2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: &w.vpc})
	if err != nil {
		w.Fatal(err)
	}
	subnet, table = aws.ToString(s.Subnet.SubnetId), aws.ToString(r.RouteTable.RouteTableId)
	if _, err := w.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{SubnetId: &subnet, RouteTableId: &table}); err != nil {
		w.Fatal(err)
	}
	return subnet, table
}

// nat makes a NAT gateway in the public subnet and leads a route table to it.
func (w *world) nat(table string) (elastic string) {
	w.Helper()
	ctx := w.Context()
	a, err := w.ec2.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
	if err != nil {
		w.Fatal(err)
	}
	g, err := w.ec2.CreateNatGateway(ctx, &ec2.CreateNatGatewayInput{SubnetId: &w.subnet, AllocationId: a.AllocationId})
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: &table, DestinationCidrBlock: aws.String(everywhere), NatGatewayId: g.NatGateway.NatGatewayId})
	if err != nil {
		w.Fatal(err)
	}
	return aws.ToString(a.PublicIp)
}

func (w *world) deleteRoute(table string) {
	w.Helper()
	_, err := w.ec2.DeleteRoute(w.Context(), &ec2.DeleteRouteInput{RouteTableId: &table, DestinationCidrBlock: aws.String(everywhere)})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) allow(port int32) {
	w.Helper()
	_, err := w.ec2.AuthorizeSecurityGroupIngress(w.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &w.group, IpPermissions: []ec2types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: &port, ToPort: &port, IpRanges: []ec2types.IpRange{{CidrIp: aws.String(everywhere)}},
	}}})
	if err != nil {
		w.Fatal(err)
	}
}
