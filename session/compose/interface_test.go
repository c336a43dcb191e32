package compose

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// An interface travels under the names that the public agent reads.
func TestStartCarriesTheInterface(t *testing.T) {
	d := definition(shape.ContainerDefinition{})
	d.Document.NetworkMode = aws.Ptr("awsvpc")
	tk := task(shape.TaskOverride{})
	tk.Interface = &ecs.Interface{
		Attachment: "a1", ID: "eni-1", Subnet: "subnet-1", MAC: "0a:00:00:00:00:01", Private: netip.MustParseAddr("10.0.0.5"),
		IPv6: []netip.Addr{netip.MustParseAddr("fd00::5")}, DNSName: "ip-10-0-0-5.ec2.internal", Gateway: netip.MustParsePrefix("10.0.0.1/24"),
		Gateway6: netip.MustParsePrefix("fd00::1/64"), Servers: []netip.Addr{netip.MustParseAddr("10.0.0.2")}, Search: []string{"ec2.internal"},
	}
	got := start(t, tk, d)
	const want = `[{"attachmentArn":"arn:aws:ecs:us-east-1:000000000000:attachment/a1","ec2Id":"eni-1","macAddress":"0a:00:00:00:00:01",` +
		`"interfaceAssociationProtocol":"default","ipv4Addresses":[{"primary":true,"privateAddress":"10.0.0.5"}],` +
		`"ipv6Addresses":[{"primary":true,"address":"fd00::5"}],"privateDnsName":"ip-10-0-0-5.ec2.internal","domainName":["ec2.internal"],` +
		`"domainNameServers":["10.0.0.2"],"subnetGatewayIpv4Address":"10.0.0.1/24","subnetGatewayIpv6Address":"fd00::1/64"}]`
	if b, err := json.Marshal(got.ElasticNetworkInterfaces); err != nil || string(b) != want || got.NetworkMode != "awsvpc" {
		t.Errorf("%v\ngot  %s\nwant %s", err, b, want)
	}
	if got := start(t, task(shape.TaskOverride{}), definition(shape.ContainerDefinition{})); got.ElasticNetworkInterfaces != nil {
		t.Errorf("in mode bridge: %+v", got.ElasticNetworkInterfaces)
	}
}
