package stock

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	home "github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
)

var here = vpc.Home{Account: account, Region: zone}

// subnet is the default subnet of the zone that nodes are in unless they say otherwise.
func (s *server) subnet() string {
	s.Helper()
	id := ""
	s.view(func(tx store.Tx) {
		for _, n := range vpctables.Subnets.List(tx, vpctables.All(here), "") {
			if n.Default && (id == "" || n.Zone < zoneOf(tx, id)) {
				id = n.ID
			}
		}
	})
	return id
}

func zoneOf(tx store.Tx, subnet string) string {
	n, _ := vpctables.Subnets.Peek(tx, vpctables.Key(here, subnet))
	return n.Zone
}

func (s *server) view(fn func(store.Tx)) {
	s.Helper()
	if err := s.store.View(s.ctx, store.Fresh, func(tx store.Tx) error { fn(tx); return nil }); err != nil {
		s.Fatal(err)
	}
}

// berthNode is an agent that says it is berth's.
func (s *server) berthNode(token string) *agent {
	s.Helper()
	return s.onEC2(token, `{"name":"ecs.capability.full-sync"}`,
		`{"name":"ecs.capability.full-sync"},{"name":"ecs.capability.task-eni"},{"name":"berth.node-id","value":"n-`+token[len(token)-1:]+`"}`)
}

func (s *server) defineWired(family string) {
	s.Helper()
	must(s.ecs.RegisterTaskDefinition(s.ctx, &ecs.RegisterTaskDefinitionInput{Family: &family, NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("web"), Image: aws.String("busybox:1"), Memory: aws.Int32(64), Essential: aws.Bool(true)}}}))(s)
}

func network(subnets ...string) *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: subnets}}
}

// interfaceOf is the interface that a task says it has, in EC2's records.
func (s *server) interfaceOf(t types.Task) map[string]string {
	s.Helper()
	out := map[string]string{}
	s.view(func(tx store.Tx) {
		for _, i := range vpctables.InterfacesByOwner.List(tx, vpctables.OwnerKey(here, *t.TaskArn), "") {
			out["networkInterfaceId"], out["subnetId"], out["macAddress"], out["privateIPv4Address"] = i.ID, i.Subnet, i.MAC, i.Private[0].Addr.String()
			out["privateDnsName"] = vpc.PrivateName(zone, i.Private[0].Addr)
		}
	})
	return out
}

func details(t types.Task) map[string]string {
	out := map[string]string{}
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			out[*d.Name] = *d.Value
		}
	}
	return out
}

// A task in awsvpc goes to berth's node, with its interface in the payload; what ECS says of it is what EC2 says; the unmodified agent gets
// none although it claims to be able.
func TestAwsvpcTaskInAPayload(t *testing.T) {
	s := newServer(t)
	claims := s.onEC2("00000000-0000-4000-8000-000000000001", `{"name":"ecs.capability.full-sync"}`, `{"name":"ecs.capability.full-sync"},{"name":"ecs.capability.task-eni"}`)
	claims.manifest()
	s.defineWired("net")
	run := &ecs.RunTaskInput{TaskDefinition: aws.String("net"), NetworkConfiguration: network(s.subnet())}
	if out := must(s.ecs.RunTask(s.ctx, run))(t); len(out.Failures) != 1 || *out.Failures[0].Reason != "ATTRIBUTE" || aws.ToString(out.Failures[0].Detail) != "berth.node-id is missing" {
		t.Fatalf("%+v", out)
	}
	own := s.berthNode("00000000-0000-4000-8000-000000000002")
	own.manifest()
	made := must(s.ecs.RunTask(s.ctx, run))(t)
	if len(made.Tasks) != 1 || *made.Tasks[0].LastStatus != "PROVISIONING" || *made.Tasks[0].ContainerInstanceArn != own.arn {
		t.Fatalf("%+v", made)
	}
	arn := *made.Tasks[0].TaskArn
	if d := cmp.Diff(s.interfaceOf(made.Tasks[0]), details(made.Tasks[0])); d != "" {
		t.Errorf("EC2 and ECS: %s", d)
	}
	told := own.wired()
	if d := details(made.Tasks[0]); told.EC2ID != d["networkInterfaceId"] || told.MacAddress != d["macAddress"] || told.IPv4Addresses[0].PrivateAddress != d["privateIPv4Address"] ||
		told.PrivateDNSName != d["privateDnsName"] || !strings.HasPrefix(told.SubnetGatewayIpv4Address, "172.31.") || told.AttachmentArn != (home.Home{Account: account, Region: zone}).AttachmentARN(*made.Tasks[0].Attachments[0].Id) {
		t.Errorf("told %+v, said %v", told, d)
	}
	own.raw(arn, `"attachments":[{"attachmentArn":"`+told.AttachmentArn+`","status":"ATTACHED"}]`)
	if got := s.task(arn); *got.LastStatus != "PENDING" || *got.Attachments[0].Status != "ATTACHED" {
		t.Errorf("%s, %s", *got.LastStatus, *got.Attachments[0].Status)
	}
	own.raw(arn, `"status":"RUNNING","containers":[{"containerName":"web","runtimeId":"r","status":"RUNNING"}]`)
	if got := s.task(arn); *got.LastStatus != "RUNNING" || len(got.Containers[0].NetworkInterfaces) != 1 || *got.Containers[0].NetworkInterfaces[0].PrivateIpv4Address != details(got)["privateIPv4Address"] {
		t.Errorf("%s, %+v", *got.LastStatus, got.Containers[0].NetworkInterfaces)
	}
	must(s.ecs.StopTask(s.ctx, &ecs.StopTaskInput{Task: &arn}))(t)
	own.take()
	own.raw(arn, `"status":"STOPPED","containers":[{"containerName":"web","status":"STOPPED","exitCode":0}]`)
	if got := s.task(arn); *got.LastStatus != "STOPPED" || *got.Attachments[0].Status != "DELETED" || len(s.interfaceOf(got)) != 0 {
		t.Errorf("%s, %s, %v", *got.LastStatus, *got.Attachments[0].Status, s.interfaceOf(got))
	}
}

// wired takes the next payload and answers the interface in it.
func (a *agent) wired() session.ElasticNetworkInterface {
	a.Helper()
	var p session.PayloadMessage
	decode(a, a.next("PayloadMessage"), &p)
	a.ack(p.MessageID)
	if len(p.Tasks) != 1 || p.Tasks[0].NetworkMode != "awsvpc" || len(p.Tasks[0].ElasticNetworkInterfaces) != 1 {
		text, _ := json.Marshal(p)
		a.Fatalf("payload %s", text)
	}
	return p.Tasks[0].ElasticNetworkInterfaces[0]
}

// A service in awsvpc, another network for it, and the end of its node: no interface outlives its task.
func TestAwsvpcServiceAndTheEndOfItsNode(t *testing.T) {
	s := newServer(t)
	own := s.berthNode("00000000-0000-4000-8000-000000000002")
	own.manifest()
	s.defineWired("net")
	must(s.ecs.CreateService(s.ctx, &ecs.CreateServiceInput{ServiceName: aws.String("net"), TaskDefinition: aws.String("net"), DesiredCount: aws.Int32(3),
		NetworkConfiguration: network(s.subnet())}))(t)
	seen := map[string]bool{}
	for range 3 {
		seen[own.wired().IPv4Addresses[0].PrivateAddress] = true
	}
	if len(seen) != 3 {
		t.Errorf("three tasks have the addresses %v", seen)
	}
	before := must(s.ecs.DescribeServices(s.ctx, &ecs.DescribeServicesInput{Services: []string{"net"}}))(t).Services[0]
	if c := before.NetworkConfiguration; c == nil || len(c.AwsvpcConfiguration.Subnets) != 1 || c.AwsvpcConfiguration.AssignPublicIp != types.AssignPublicIpDisabled {
		t.Errorf("%+v", c)
	}
	_, err := s.ecs.UpdateService(s.ctx, &ecs.UpdateServiceInput{Service: aws.String("net"), NetworkConfiguration: network("subnet-00000000000000000")})
	if err == nil || !strings.Contains(err.Error(), "InvalidSubnetID.NotFound") {
		t.Errorf("an unknown subnet: %v", err)
	}
	must(s.ecs.DeregisterContainerInstance(s.ctx, &ecs.DeregisterContainerInstanceInput{ContainerInstance: &own.arn, Force: aws.Bool(true)}))(t)
	s.until("no interface is left", func() bool {
		n := 0
		s.view(func(tx store.Tx) {
			for range vpctables.Interfaces.List(tx, vpctables.All(here), "") {
				n++
			}
		})
		return n == 0
	})
}
