package ecs

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// wired is pair with an interface of its own.
func wired() (*Task, *TaskStatus) {
	t, s := pair()
	t.Interface = &Interface{
		Attachment: "11111111-2222-3333-4444-555555555555", ID: "eni-1", Subnet: "subnet-1", VPC: "vpc-1", MAC: "0a:00:00:00:00:01",
		Private: netip.MustParseAddr("10.0.0.5"), IPv6: []netip.Addr{netip.MustParseAddr("fd00::5")}, DNSName: "ip-10-0-0-5.ec2.internal",
	}
	s.LastStatus, s.Attachment = TaskProvisioning, AttachmentPrecreated
	return t, s
}

func TestATaskIsPendingWhenItsInterfaceIsAttached(t *testing.T) {
	attached := func(task *Task) Report {
		return Report{Attached: []string{task.AttachmentARN(task.Interface.Attachment)}}
	}
	pulled := Report{Status: TaskPending, Containers: []ContainerReport{{Name: "app", Status: TaskPending, ImageDigest: "sha256:1"}}}
	for _, c := range []struct {
		name    string
		reports func(*Task) []Report
		last    string
		shown   string
	}{
		{"nothing said", func(*Task) []Report { return nil }, TaskProvisioning, AttachmentPrecreated},
		{"pulled before it", func(*Task) []Report { return []Report{pulled} }, TaskProvisioning, AttachmentPrecreated},
		{"another's", func(t *Task) []Report { return []Report{{Attached: []string{t.AttachmentARN("other")}}} }, TaskProvisioning, AttachmentPrecreated},
		{"attached", func(t *Task) []Report { return []Report{attached(t)} }, TaskPending, AttachmentAttached},
		{"attached after the pull", func(t *Task) []Report { return []Report{pulled, attached(t)} }, TaskPending, AttachmentAttached},
		{"runs", func(*Task) []Report { return []Report{{Status: TaskRunning}} }, TaskRunning, AttachmentAttached},
		{"said late", func(t *Task) []Report { return []Report{{Status: TaskRunning}, attached(t)} }, TaskRunning, AttachmentAttached},
		{"ended without it", func(*Task) []Report { return []Report{{Status: TaskStopped}} }, TaskStopped, AttachmentDeleted},
	} {
		task, s := wired()
		for i, r := range c.reports(task) {
			s, _ = task.Fold(s, r, at(i+1))
		}
		v := TaskView{Task: task, Status: s, Desired: &TaskDesired{Status: TaskRunning}}
		if s.LastStatus != c.last || v.ShownAttachment() != c.shown {
			t.Errorf("%s: %s, attachment %s; want %s, %s", c.name, s.LastStatus, v.ShownAttachment(), c.last, c.shown)
		}
		if c.name == "attached after the pull" && s.Containers[0].ImageDigest != "sha256:1" {
			t.Errorf("what came before the attachment was lost: %+v", s.Containers[0])
		}
	}
}

func TestRenderInterface(t *testing.T) {
	task, s := wired()
	v := TaskView{Task: task, Status: s, Desired: &TaskDesired{Status: TaskRunning}}
	pair := func(name, value string) shape.KeyValuePair {
		return shape.KeyValuePair{Name: aws.Ptr(name), Value: aws.Ptr(value)}
	}
	want := []shape.Attachment{{
		Id: aws.Ptr("11111111-2222-3333-4444-555555555555"), Type: aws.Ptr("ElasticNetworkInterface"), Status: aws.Ptr("PRECREATED"),
		Details: []shape.KeyValuePair{
			pair("subnetId", "subnet-1"), pair("networkInterfaceId", "eni-1"), pair("macAddress", "0a:00:00:00:00:01"),
			pair("privateDnsName", "ip-10-0-0-5.ec2.internal"), pair("privateIPv4Address", "10.0.0.5"),
		},
	}}
	got := RenderTask(v)
	if d := cmp.Diff(want, got.Attachments); d != "" {
		t.Error(d)
	}
	each := []shape.NetworkInterface{{AttachmentId: want[0].Id, PrivateIpv4Address: aws.Ptr("10.0.0.5"), Ipv6Address: aws.Ptr("fd00::5")}}
	for _, c := range got.Containers {
		if d := cmp.Diff(each, c.NetworkInterfaces); d != "" {
			t.Error(d)
		}
	}
	v.Status, _ = task.Fold(s, Report{Status: TaskStopped}, at(9))
	if got = RenderTask(v); *got.Attachments[0].Status != "DELETED" || len(got.Attachments[0].Details) != 5 {
		t.Errorf("of a stopped task: %+v", got.Attachments)
	}
}

func TestSubnetIn(t *testing.T) {
	subnets := []Subnet{{ID: "1", Zone: "a", Free: 2}, {ID: "2", Zone: "a", Free: 5}, {ID: "3", Zone: "b"}, {ID: "4", Zone: "a", Free: 5}}
	for zone, want := range map[string]int{"a": 1, "b": -1, "c": -1} {
		if got := SubnetIn(subnets, zone); got != want {
			t.Errorf("zone %s: %d, want %d", zone, got, want)
		}
	}
	if d := cmp.Diff(map[string]int{"a": 12, "b": 0}, Zones(subnets)); d != "" {
		t.Error(d)
	}
}
