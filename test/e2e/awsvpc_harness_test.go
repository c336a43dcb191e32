package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloud "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/installation"
)

// ec2Answer are the members of EC2's answers that the tests look at.
type ec2Answer struct {
	Group      string `xml:"groupId"`
	Allocation string `xml:"allocationId"`
	Public     string `xml:"publicIp"`
	Interfaces []struct {
		ID     string `xml:"networkInterfaceId"`
		Status string `xml:"status"`

		Public   string `xml:"association>publicIp"`
		Instance string `xml:"attachment>instanceId"`
	} `xml:"networkInterfaceSet>item"`
}

// ec2 calls an operation of EC2 with the parameters "Name", "value", ...
func ec2(t testing.TB, action string, pairs ...string) ec2Answer {
	t.Helper()
	out, err := ec2Try(action, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ec2Try(action string, pairs ...string) (out ec2Answer, err error) {
	return out, region.AskEC2(context.Background(), &out, action, pairs...)
}

// subnet is the default one of the node's zone, with its VPC.
func subnet(t testing.TB) (id, vpc string) {
	t.Helper()
	id, vpc, err := region.DefaultSubnet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return id, vpc
}

// group is a security group of the test's own that lets a TCP port in from anywhere; 0 for none.
func group(t testing.TB, name string, port int) string {
	t.Helper()
	_, vpc := subnet(t)
	id := ec2(t, "CreateSecurityGroup", "GroupName", family(t)+"-"+name, "GroupDescription", "of a test", "VpcId", vpc).Group
	t.Cleanup(func() {
		_, err := ec2Try("DeleteSecurityGroup", "GroupId", id)
		for end := time.Now().Add(installation.Patience); err != nil && time.Now().Before(end); { // when its tasks have
			_, err = ec2Try("DeleteSecurityGroup", "GroupId", id)
		}
		if err != nil {
			t.Errorf("the security group does not go: %v", err)
		}
	})
	if port > 0 {
		ec2(t, "AuthorizeSecurityGroupIngress", "GroupId", id, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", text(port),
			"IpPermissions.1.ToPort", text(port), "IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")
	}
	return id
}

// private makes a definition one of awsvpc.
func private(d *ecs.RegisterTaskDefinitionInput) *ecs.RegisterTaskDefinitionInput {
	d.NetworkMode = types.NetworkModeAwsvpc
	for i := range d.ContainerDefinitions {
		for j := range d.ContainerDefinitions[i].PortMappings {
			d.ContainerDefinitions[i].PortMappings[j].HostPort = nil
		}
	}
	return d
}

// vpcTask is a task in awsvpc, with what the tests look at.
type vpcTask struct {
	types.Task
	eni, address, mac string
}

// startVPC starts a task with a security group, until the test ends.
func startVPC(t testing.TB, d *ecs.RegisterTaskDefinitionInput, groups ...string) string {
	t.Helper()
	s, _ := subnet(t)
	return startWith(t, &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, private(d))), NetworkConfiguration: &types.NetworkConfiguration{
		AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{s}, SecurityGroups: groups},
	}})
}

func runningVPC(t testing.TB, d *ecs.RegisterTaskDefinitionInput, groups ...string) vpcTask {
	t.Helper()
	return vpcTaskOf(t, region.AwaitTask(t, startVPC(t, d, groups...), "RUNNING"))
}

// printedVPC runs a container of a task to its end and answers what it printed.
func printedVPC(t testing.TB, c types.ContainerDefinition, groups ...string) string {
	t.Helper()
	task := region.AwaitTask(t, startVPC(t, define(t, c), groups...), "STOPPED")
	if code := containerOf(t, task, *c.Name).ExitCode; code == nil {
		t.Fatalf("the container never ran: %s, %s", aws.ToString(task.StoppedReason), aws.ToString(task.Containers[0].Reason))
	}
	return strings.TrimSpace(output(t, *task.TaskArn, *c.Name))
}

func vpcTaskOf(t testing.TB, task types.Task) vpcTask {
	t.Helper()
	out := vpcTask{Task: task}
	for _, a := range task.Attachments {
		for _, d := range a.Details {
			switch aws.ToString(d.Name) {
			case "networkInterfaceId":
				out.eni = aws.ToString(d.Value)
			case "privateIPv4Address":
				out.address = aws.ToString(d.Value)
			case "macAddress":
				out.mac = aws.ToString(d.Value)
			}
		}
	}
	if out.eni == "" || out.address == "" {
		t.Fatalf("attachments: %+v", task.Attachments)
	}
	return out
}

// netns is where the namespace of a task's interface is mounted.
func (v vpcTask) netns() string { return filepath.Join(region.RunDir, "eni", v.eni) }

// fetchFrom answers what a URL answers to a process in the task's namespace.
func (v vpcTask) fetchFrom(target string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: v.dial}}
	r, err := client.Get(target)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.300s", target, r.Status, body)
	}
	return string(body), err
}

// dial opens a connection in the task's namespace. Its thread ends with it: it never comes back to ours.
func (v vpcTask) dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		var fd int
		if fd, err = unix.Open(v.netns(), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return
		}
		defer unix.Close(fd)
		if err = unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return
		}
		c, err = (&net.Dialer{Timeout: 3 * time.Second, FallbackDelay: -1}).DialContext(ctx, network, addr)
	}()
	<-done
	return c, err
}

// makeVPC is a VPC with one subnet in the node's zone. Both go after whatever the test makes in them.
func makeVPC(t testing.TB, cidr, subnetCIDR string) (vpc, subnet string) {
	t.Helper()
	c := region.EC2()
	v, err := c.CreateVpc(t.Context(), &cloud.CreateVpcInput{CidrBlock: &cidr})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.CreateSubnet(t.Context(), &cloud.CreateSubnetInput{
		VpcId: v.Vpc.VpcId, CidrBlock: &subnetCIDR, AvailabilityZone: aws.String(installation.Region + "a"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
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
	return *v.Vpc.VpcId, *s.Subnet.SubnetId
}
