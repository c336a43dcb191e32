package tables_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var network = networktest.Network{
	Subnets: []ecs.Subnet{
		{ID: "subnet-a1", VPC: "vpc-1", Zone: "us-east-1a", Free: 4}, {ID: "subnet-a2", VPC: "vpc-1", Zone: "us-east-1a", Free: 4},
		{ID: "subnet-b", VPC: "vpc-1", Zone: "us-east-1b", Free: 4}, {ID: "subnet-x", VPC: "vpc-2", Zone: "us-east-1a", Free: 4},
		{ID: "subnet-one", VPC: "vpc-1", Zone: "us-east-1a", Free: 1},
	},
	Groups: []ecs.SecurityGroup{{ID: "sg-1", VPC: "vpc-1"}, {ID: "sg-x", VPC: "vpc-2"}},
}

// wired is a region of awsvpc's: the first letter of an instance is its zone's.
func wired(o mem.Options, instances ...string) *mem.Store {
	s := mem.Open(slices.Concat(tables.Schema(), networktest.Schema()), o)
	_ = s.Update(context.Background(), func(tx store.Tx) error {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: home, Name: "c", Status: ecs.ClusterActive})
		tables.TaskDefinitions.Put(tx, awsvpc())
		for _, id := range instances {
			tables.Instances.Put(tx, &ecs.Instance{Home: home, Cluster: "c", ID: id, Node: "n-" + id, LaunchType: "EC2", Attributes: []shape.Attribute{
				{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1" + id[:1])}, {Name: aws.Ptr("ecs.capability.task-eni")},
				{Name: aws.Ptr(place.BerthNode), Value: aws.Ptr("n-" + id)},
			}})
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: home, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
			tables.Ledgers.Put(tx, &ecs.Ledger{Region: home.Region, Node: "n-" + id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000}})
		}
		return nil
	})
	return s
}

func awsvpc() *ecs.TaskDefinition {
	d := *definition
	d.Document.NetworkMode = aws.Ptr("awsvpc")
	d.Document.RequiresAttributes = []shape.Attribute{{Name: aws.Ptr("ecs.capability.task-eni")}}
	d.Document.ContainerDefinitions = []shape.ContainerDefinition{{Name: aws.Ptr("app"), Cpu: aws.Ptr(int32(100)), Memory: aws.Ptr(int32(100)), Essential: aws.Ptr(true)}}
	return &d
}

func wiredSpec(count int, subnets ...string) launch.Spec {
	return launch.Spec{Home: home, Cluster: "c", Definition: awsvpc(), Count: count, Network: &shape.NetworkConfiguration{
		AwsvpcConfiguration: &shape.AwsVpcConfiguration{Subnets: subnets, SecurityGroups: []string{"sg-1"}},
	}}
}

func TestATaskAndItsInterfaceAreOne(t *testing.T) {
	s := wired(mem.Options{}, "a")
	defer s.Close()
	var made []*ecs.Task
	spec := wiredSpec(3, "subnet-b", "subnet-a1", "subnet-a2")
	spec.Tags = append(request.ManagedTags("c", "s"), shape.Tag{Key: aws.Ptr("team"), Value: aws.Ptr("a")})
	update(t, s, func(tx store.Tx) (err error) {
		made, _, err = tables.Launch(tx, tables.Wings{Network: network}, spec)
		return err
	})
	update(t, s, func(tx store.Tx) error {
		in := map[string]int{}
		for _, task := range made {
			i, ok := networktest.Interfaces.Peek(tx, tables.At(home).Key(task.Interface.ID))
			if !ok || i.Task != task.ARN() || i.Node != "n-a" || i.Attachment != task.AttachmentARN(task.Interface.Attachment) || i.Groups[0] != "sg-1" {
				t.Errorf("interface %+v of %+v", i, task)
			}
			if len(i.Tags) != 2 || *i.Tags[0].Key != "aws:ecs:clusterName" || *i.Tags[1].Value != "s" {
				t.Errorf("of the task's tags the interface has %+v, not those that ECS gave", i.Tags)
			}
			in[task.Interface.Subnet]++
			v, _ := tables.PeekTask(tx, tables.MemberKey(home, "c", task.ID))
			if v.ShownStatus() != "PROVISIONING" || v.ShownAttachment() != "PRECREATED" {
				t.Errorf("a new task is %s, its attachment %s", v.ShownStatus(), v.ShownAttachment())
			}
		}
		if in["subnet-a1"]+in["subnet-a2"] != 3 || in["subnet-a1"] == 0 || in["subnet-a2"] == 0 {
			t.Errorf("subnets of one zone share the tasks; they have %v", in)
		}
		return nil
	})
	for _, end := range []func(store.Tx, string){
		func(tx store.Tx, key string) {
			tables.ReportTask(tx, tables.Wings{Network: network}, key, ecs.Report{Status: ecs.TaskStopped})
		},
		func(tx store.Tx, key string) {
			tables.AbandonTask(tx, tables.Wings{Network: network}, key, "TaskFailedToStart", "gone")
		},
		func(tx store.Tx, _ string) {
			old, _ := tables.InstanceStates.Get(tx, tables.MemberKey(home, "c", "a"))
			tables.Deregister(tx, old, "")
			tables.AbandonTasks(tx, tables.Wings{Network: network}, tables.MemberKey(home, "c", "a"))
		},
	} {
		task := made[0]
		made = made[1:]
		for range 2 { // the second time says nothing new
			update(t, s, func(tx store.Tx) error { end(tx, tables.MemberKey(home, "c", task.ID)); return nil })
		}
		update(t, s, func(tx store.Tx) error {
			if _, ok := networktest.Interfaces.Peek(tx, tables.At(home).Key(task.Interface.ID)); ok {
				t.Error("the interface of a stopped task is there")
			}
			v, _ := tables.PeekTask(tx, tables.MemberKey(home, "c", task.ID))
			if v.ShownAttachment() != "DELETED" || v.Interface == nil {
				t.Errorf("it is described as %s: %+v", v.ShownAttachment(), v.Interface)
			}
			return nil
		})
	}
}

func TestWhyATaskGetsNoInterface(t *testing.T) {
	stranger := func(tx store.Tx) { // says it can, and is no node of berth's
		tables.Instances.Put(tx, &ecs.Instance{Home: home, Cluster: "c", ID: "a", Node: "n-a", LaunchType: "EC2", Attributes: []shape.Attribute{
			{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1a")}, {Name: aws.Ptr("ecs.capability.task-eni")}}})
	}
	grouped := wiredSpec(1, "subnet-a1")
	grouped.Network.AwsvpcConfiguration.SecurityGroups = []string{"sg-x"}
	for _, c := range []struct {
		name   string
		spec   launch.Spec
		before func(store.Tx)
		reason string // of a failure
		err    string // part of an error
	}{
		{"subnets elsewhere", wiredSpec(1, "subnet-b"), nil, "LOCATION", ""},
		{"full subnet", wiredSpec(2, "subnet-one"), nil, "RESOURCE:ENI", ""},
		{"another agent", wiredSpec(1, "subnet-a1"), stranger, "ATTRIBUTE", ""},
		{"no such subnet", wiredSpec(1, "subnet-a1", "subnet-9"), nil, "", "Error retrieving subnet information for [subnet-9]: The subnet ID 'subnet-9' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
		{"two VPCs", wiredSpec(1, "subnet-a1", "subnet-x"), nil, "", "must be of one VPC"},
		{"another VPC's group", grouped, nil, "", "same VPC as the input subnets"},
		{"nothing given", launch.Spec{Home: home, Cluster: "c", Definition: awsvpc(), Count: 1}, nil, "", "Network Configuration must be provided when networkMode 'awsvpc' is specified."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := wired(mem.Options{}, "a")
			defer s.Close()
			var failures []launch.Failure
			err := s.Update(t.Context(), func(tx store.Tx) (err error) {
				if c.before != nil {
					c.before(tx)
				}
				_, failures, err = tables.Launch(tx, tables.Wings{Network: network}, c.spec)
				return err
			})
			if c.err != "" {
				var e *aws.Error
				if !errors.As(err, &e) || e.Code != shape.CodeInvalidParameterException || !strings.Contains(e.Message, c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || len(failures) != 1 || failures[0].Reason != c.reason {
				t.Errorf("%v, failures %+v; want %s", err, failures, c.reason)
			}
			spec := c.spec
			spec.Count, spec.Instances = 0, slices.Repeat([]string{"a"}, c.spec.Count)
			update(t, s, func(tx store.Tx) (err error) {
				_, failures, err = tables.Launch(tx, tables.Wings{Network: network}, spec)
				return err
			})
			if n := len(failures); n == 0 || failures[n-1].Reason != c.reason {
				t.Errorf("StartTask: failures %+v; want %s", failures, c.reason)
			}
		})
	}
}

// As many tasks as one transaction may launch, all in subnets of their own with all the groups there may be, fit into one.
func TestAttachedTasksFitOneTransaction(t *testing.T) {
	wide := networktest.Network{Groups: network.Groups}
	var ids []string
	for i := range 16 {
		wide.Subnets = append(wide.Subnets, ecs.Subnet{ID: fmt.Sprintf("subnet-%d", i), VPC: "vpc-1", Zone: "us-east-1a", Free: 9})
		ids = append(ids, wide.Subnets[i].ID)
	}
	s := wired(mem.Options{}, "a")
	defer s.Close()
	spec := wiredSpec(tables.MaxAttached, ids...)
	spec.Tags = []shape.Tag{{Key: aws.Ptr("k")}}
	update(t, s, func(tx store.Tx) error {
		r, err := tables.TryLaunch(tx, tables.Wings{Network: wide}, spec)
		if len(r.Tasks) != tables.MaxAttached {
			t.Errorf("%d tasks, refused: %+v", len(r.Tasks), r.Refusal)
		}
		return err
	})
	update(t, s, func(tx store.Tx) error {
		old, _ := tables.InstanceStates.Get(tx, tables.MemberKey(home, "c", "a"))
		tables.Deregister(tx, old, "")
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		tables.AbandonTasks(tx, tables.Wings{Network: wide}, tables.MemberKey(home, "c", "a"))
		return nil
	})
	audit(t, s)
}

// Whatever is launched, reported, stopped and lost, in whatever order and however often transactions lose their races: the interfaces are
// those of the tasks that are not STOPPED, one for each, and no address has two.
func TestInterfacesAreThoseOfLiveTasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lost := rapid.SliceOfN(rapid.Bool(), 1, 20).Draw(t, "lost races")
		n := 0
		s := wired(mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { n++; return lost[n%len(lost)] && n%4 != 0 }}}, "a", "b")
		defer s.Close()
		var keys []string
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			step(t, s, &keys)
			audit(t, s)
		}
	})
}

func step(t *rapid.T, s *mem.Store, keys *[]string) {
	key := ""
	if len(*keys) > 0 {
		key = rapid.SampledFrom(*keys).Draw(t, "task")
	}
	what := rapid.SampledFrom([]string{"launch", "launch", "launch", "start", "attached", "running", "stopped", "asked", "abandoned", "gone"}).Draw(t, "what")
	instance := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "instance")
	spec := wiredSpec(rapid.IntRange(1, 4).Draw(t, "count"), rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"subnet-a1", "subnet-a2", "subnet-b"}), 1, 3, rapid.ID[string]).Draw(t, "subnets")...)
	if what == "start" {
		spec.Count, spec.Instances = 0, []string{instance}
	}
	var made []*ecs.Task
	err := s.Update(context.Background(), func(tx store.Tx) error {
		made = nil
		member := tables.MemberKey(home, "c", instance)
		switch what {
		case "launch", "start":
			r, err := tables.TryLaunch(tx, tables.Wings{Network: network}, spec)
			made = r.Tasks
			return err
		case "attached":
			if task, ok := tables.Tasks.Peek(tx, key); ok {
				tables.ReportTask(tx, tables.Wings{Network: network}, key, ecs.Report{Attached: []string{task.AttachmentARN(task.Interface.Attachment)}})
			}
		case "running":
			tables.ReportTask(tx, tables.Wings{Network: network}, key, ecs.Report{Status: ecs.TaskRunning})
		case "stopped":
			tables.ReportTask(tx, tables.Wings{Network: network}, key, ecs.Report{Status: ecs.TaskStopped})
		case "asked":
			tables.StopTask(tx, tables.Wings{}, key, "UserInitiated", "x")
		case "abandoned":
			tables.AbandonTask(tx, tables.Wings{Network: network}, key, "TaskFailedToStart", "x")
		case "gone":
			old, _ := tables.InstanceStates.Get(tx, member)
			tables.Deregister(tx, old, "")
			tables.AbandonTasks(tx, tables.Wings{Network: network}, member)
			back := *old
			back.Status = ecs.InstanceActive // another of its name comes at once
			tables.InstanceStates.Put(tx, &back)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range made {
		*keys = append(*keys, tables.MemberKey(home, "c", task.ID))
	}
}

// audit holds interfaces to tasks.
func audit(t interface{ Errorf(string, ...any) }, s store.Store) {
	_ = s.View(context.Background(), store.Fresh, func(tx store.Tx) error {
		want := map[string]string{}
		owner := map[string]string{}
		for key, task := range tables.Tasks.List(tx, "", "") {
			if v, ok := tables.PeekTask(tx, key); ok && v.Status.LastStatus != ecs.TaskStopped {
				want[task.Interface.ID] = task.ARN()
				if other, taken := owner[task.Interface.Private.String()]; taken {
					t.Errorf("%s is of %s and %s", task.Interface.Private, other, key)
				}
				owner[task.Interface.Private.String()] = key
			}
		}
		for _, i := range networktest.Interfaces.List(tx, "", "") {
			if want[i.ID] != i.Task {
				t.Errorf("interface %s of %s is left", i.ID, i.Task)
			}
			delete(want, i.ID)
		}
		for id, task := range want {
			t.Errorf("%s has no interface %s", task, id)
		}
		return nil
	})
}
