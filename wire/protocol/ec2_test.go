package protocol

import (
	"encoding/xml"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ec2"
)

// Real inputs of EC2, as its clients write them.
func TestFormOfEC2(t *testing.T) {
	var subnets ec2.DescribeSubnetsRequest
	body := "Action=DescribeSubnets&Version=2016-11-15&DryRun=false&SubnetId.2=b&SubnetId.10=c&SubnetId.1=a&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-*"
	decodeEC2(t, Op{&ec2.Model, ec2.OpDescribeSubnets.Info}, body, &subnets)
	want := ec2.DescribeSubnetsRequest{
		DryRun: aws.Ptr(false), SubnetIds: []string{"a", "b", "c"},
		Filters: []ec2.Filter{{Name: aws.Ptr("vpc-id"), Values: []string{"vpc-1", "vpc-*"}}},
	}
	if diff := cmp.Diff(want, subnets); diff != "" {
		t.Error(diff)
	}

	// Names of nested members are capitalised; a query name goes before.
	var run ec2.CreateNetworkInterfaceRequest
	body = "Action=CreateNetworkInterface&SubnetId=s&SecurityGroupId.1=sg-1&PrivateIpAddresses.1.Primary=true&PrivateIpAddresses.1.PrivateIpAddress=10.0.0.4" +
		"&TagSpecification.1.ResourceType=network-interface&TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value="
	decodeEC2(t, Op{&ec2.Model, ec2.OpCreateNetworkInterface.Info}, body, &run)
	wantRun := ec2.CreateNetworkInterfaceRequest{
		SubnetId: aws.Ptr("s"), Groups: []string{"sg-1"},
		PrivateIpAddresses: []ec2.PrivateIpAddressSpecification{{Primary: aws.Ptr(true), PrivateIpAddress: aws.Ptr("10.0.0.4")}},
		TagSpecifications:  []ec2.TagSpecification{{ResourceType: aws.Ptr("network-interface"), Tags: []ec2.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("")}}}},
	}
	if diff := cmp.Diff(wantRun, run); diff != "" {
		t.Error(diff)
	}
}

func decodeEC2(t *testing.T, op Op, body string, in any) {
	t.Helper()
	if err := (EC2{Bounds: DefaultBounds}).Decode(op, formRequest(body), in); err != nil {
		t.Fatal(err)
	}
}

func TestXMLOfEC2(t *testing.T) {
	out := ec2.DescribeVpcsResult{Vpcs: []ec2.Vpc{{
		VpcId: aws.Ptr("vpc-1"), CidrBlock: aws.Ptr("10.0.0.0/16"), IsDefault: aws.Ptr(true), Tags: []ec2.Tag{{Key: aws.Ptr("a<"), Value: aws.Ptr("b")}},
	}}}
	a, err := EC2{}.Encode(Op{&ec2.Model, ec2.OpDescribeVpcs.Info}, formRequest(""), &out)
	if err != nil {
		t.Fatal(err)
	}
	want := xml.Header + `<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>id-1</requestId><vpcSet><item>` +
		`<cidrBlock>10.0.0.0/16</cidrBlock><isDefault>true</isDefault><tagSet><item><key>a&lt;</key><value>b</value></item></tagSet><vpcId>vpc-1</vpcId>` +
		`</item></vpcSet></DescribeVpcsResponse>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Error(diff)
	}
	a, err = EC2{}.Encode(Op{&ec2.Model, ec2.OpDeleteVpc.Info}, formRequest(""), &aws.Unit{})
	if err != nil || !strings.Contains(string(a.Body), "<requestId>id-1</requestId><return>true</return></DeleteVpcResponse>") {
		t.Errorf("%s %v", a.Body, err)
	}
}

func TestErrorOfEC2(t *testing.T) {
	a := EC2{}.Fail(&ec2.Model, formRequest(""), Failure{Code: "InvalidVpcID.NotFound", Message: "The vpc ID 'vpc-<' does not exist", Status: 400})
	want := xml.Header + `<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID &#39;vpc-&lt;&#39; does not exist</Message></Error></Errors>` +
		`<RequestID>id-1</RequestID></Response>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" || a.Status != 400 {
		t.Error(a.Status, diff)
	}
}

// Whatever is read as EC2's form can be written as its XML.
func FuzzEC2Form(f *testing.F) {
	f.Add("IpPermissions.1.FromPort=1&IpPermissions.1.Groups.1.GroupId=sg-1&IpPermissions.1.IpRanges.2.CidrIp=<&TagSpecification.1.Tag.1.Key=k")
	f.Add("IpPermissions=&.=&=&IpPermissions.99999999999999999999=1&GroupId.1=x")
	op := Op{&ec2.Model, ec2.OpAuthorizeSecurityGroupIngress.Info}
	f.Fuzz(func(t *testing.T, body string) {
		var in ec2.AuthorizeSecurityGroupIngressRequest
		err := EC2{Bounds: DefaultBounds}.Decode(op, formRequest(body), &in)
		if err != nil {
			if _, ok := errors.AsType[*DecodeError](err); !ok {
				t.Fatalf("error %v", err)
			}
			return
		}
		w := xmlWriter{service: op.Service, element: "item"}
		w.structure(op.Service.Shape(op.Info.Input), reflect.ValueOf(in))
		if w.err != nil {
			t.Errorf("what was read cannot be written: %v", w.err)
		}
	})
}
