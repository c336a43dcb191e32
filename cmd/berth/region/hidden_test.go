package region

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/ecsapi"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/hidden"
	"github.com/berth-ecs/berth/ecs/tables/networktest"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// host adds a node that offers its capacity to FARGATE and has what else is said.
func host(tx store.Tx, h ecs.Home, id, zone string, more ...string) {
	i := &ecs.Instance{Home: h, Cluster: "c", ID: id, Node: "n-" + id, LaunchType: "EC2", Attributes: []shape.Attribute{
		{Name: aws.Ptr(place.Zone), Value: aws.Ptr(zone)}, {Name: aws.Ptr(place.BerthNode), Value: aws.Ptr("n-" + id)},
		{Name: aws.Ptr(place.Fargate), Value: aws.Ptr(place.FargateOn)}, {Name: aws.Ptr(place.FargateRuntime), Value: aws.Ptr(place.FargateBoxed)},
	}}
	for _, name := range more {
		i.Attributes = append(i.Attributes, shape.Attribute{Name: aws.Ptr(name)})
	}
	tables.Instances.Put(tx, i)
	tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: h, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
	tables.Ledgers.Put(tx, &ecs.Ledger{Region: h.Region, Node: "n-" + id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000, StorageGiB: 10}})
}

func balancer(w networktest.World, g ecs.Guise, public bool) hidden.Wish {
	g.Requester = vpc.Balancers
	return hidden.Wish{Home: w.Home, Owner: "elb/1", Group: "elb/1/us-east-1a", Subnet: w.Subnet, SecurityGroups: w.Groups[1:], Public: public, Guise: g}
}

func TestHiddenTasks(t *testing.T) {
	w := wired(t)
	pool := netip.MustParsePrefix("198.18.0.0/15")
	wings := tables.Wings{Network: network{pool: pool}}
	update := func(fn func(tx store.Tx)) {
		t.Helper()
		if err := w.Store.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string) {
		t.Helper()
		update(func(tx store.Tx) {
			made, why, err := hidden.Launch(tx, wings, balancer(w, ecs.Guise{}, true))
			if made != nil || err != nil || why == nil || why.Reason != ecs.NoCapacity || why.Detail != want {
				t.Errorf("%v, %+v, %v", made, why, err)
			}
		})
	}
	refused("No node offers its capacity to FARGATE.")
	update(func(tx store.Tx) { host(tx, w.Home, "plain", "us-east-1a") })
	refused("No node has a proxy.")
	update(func(tx store.Tx) { host(tx, w.Home, "far", "us-east-1b", launch.ProxyAttribute) })
	refused("none of the subnets is in us-east-1b")
	update(func(tx store.Tx) { host(tx, w.Home, "near", "us-east-1a", launch.ProxyAttribute) })
	var task *ecs.Task
	update(func(tx store.Tx) {
		var why *launch.Failure
		var err error
		if task, why, err = hidden.Launch(tx, wings, balancer(w, ecs.Guise{Description: "ELB app/a/1", Type: "interface", Prefer: netip.MustParseAddr("198.18.9.9")}, true)); task == nil {
			t.Fatal(why, err)
		}
	})
	update(func(tx store.Tx) {
		if task.Host != (ecs.Host{Cluster: "c", Instance: "near"}) || task.Holds.MemoryMiB != 16 || task.Holds.CPU != 16 || task.Holds.StorageGiB != 0 || task.BesideMiB() != 0 {
			t.Errorf("%+v", task)
		}
		i, _ := vpctables.Interfaces.Peek(tx, vpctables.Key(vpcHome(w.Home), task.Interface.ID))
		shown := i.Render(vpc.Shown{})
		if *shown.RequesterId != "amazon-elb" || *shown.Description != "ELB app/a/1" || *shown.Attachment.InstanceOwnerId != "amazon-elb" ||
			i.Private[0].Public.String() != "198.18.9.9" || i.Owner != task.ARN() || i.Node != "n-near" {
			t.Errorf("%+v", i)
		}
		n := 0
		for range hidden.Tasks(tx, w.Home, "elb/1") {
			n++
		}
		if n != 1 {
			t.Error(n, "tasks of the owner")
		}
	})
	unseen(t, w, task)
}

// unseen: no list shows hidden tasks, and nobody can name them; the agent that runs one reports of it all the same.
func unseen(t *testing.T, w networktest.World, task *ecs.Task) {
	t.Helper()
	api := ecsapi.New(ecsapi.Config{Store: w.Store, Wings: tables.Wings{Network: w.Network}})
	c := wire.Call{Account: w.Home.Account, Region: w.Home.Region}
	clusters, err := api.ListClusters(t.Context(), c, &shape.ListClustersRequest{})
	if err != nil || len(clusters.ClusterArns) != 0 {
		t.Error(clusters, err)
	}
	definitions, err := api.ListTaskDefinitions(t.Context(), c, &shape.ListTaskDefinitionsRequest{})
	if err != nil || len(definitions.TaskDefinitionArns) != 0 {
		t.Error(definitions, err)
	}
	families, err := api.ListTaskDefinitionFamilies(t.Context(), c, &shape.ListTaskDefinitionFamiliesRequest{})
	if err != nil || len(families.Families) != 0 {
		t.Error(families, err)
	}
	arn := w.Home.ClusterARN(launch.HiddenBalancers)
	for _, ref := range []string{launch.HiddenBalancers, arn} {
		_, listed := api.ListTasks(t.Context(), c, &shape.ListTasksRequest{Cluster: &ref})
		_, stopped := api.StopTask(t.Context(), c, &shape.StopTaskRequest{Cluster: &ref, Task: aws.Ptr(task.ARN())})
		_, created := api.CreateCluster(t.Context(), c, &shape.CreateClusterRequest{ClusterName: &ref})
		for _, err := range []error{listed, stopped, created} {
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeInvalidParameterException {
				t.Errorf("%s can be named: %v", ref, err)
			}
		}
	}
	for _, arn := range []string{arn, task.ARN(), w.Home.TaskDefinitionARN(launch.HiddenBalancers, 1)} {
		tag := []shape.Tag{{Key: aws.Ptr("a"), Value: aws.Ptr("b")}}
		_, listed := api.ListTagsForResource(t.Context(), c, &shape.ListTagsForResourceRequest{ResourceArn: &arn})
		_, tagged := api.TagResource(t.Context(), c, &shape.TagResourceRequest{ResourceArn: &arn, Tags: tag})
		_, untagged := api.UntagResource(t.Context(), c, &shape.UntagResourceRequest{ResourceArn: &arn, TagKeys: []string{"a"}})
		for _, err := range []error{listed, tagged, untagged} {
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeInvalidParameterException {
				t.Errorf("the tags of %s can be seen or changed: %v", arn, err)
			}
		}
	}
	err = w.Store.Update(t.Context(), func(tx store.Tx) error {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: w.Home, Name: task.Host.Cluster, Status: ecs.ClusterActive})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.DeregisterContainerInstance(t.Context(), c, &shape.DeregisterContainerInstanceRequest{Cluster: &task.Host.Cluster, ContainerInstance: &task.Host.Instance})
	if err == nil || !strings.Contains(err.Error(), "They are nodes of load balancers") {
		t.Error(err)
	}
	report := &shape.SubmitTaskStateChangeRequest{Cluster: aws.Ptr(launch.HiddenBalancers), Task: aws.Ptr(task.ARN()), Status: aws.Ptr("RUNNING"),
		Containers: []shape.ContainerStateChange{{ContainerName: aws.Ptr("node"), Status: aws.Ptr("RUNNING")}}}
	if _, err := api.SubmitTaskStateChange(t.Context(), c, report); err != nil {
		t.Error(err)
	}
	_ = w.Store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		if s, _ := tables.TaskStatuses.Peek(tx, tables.MemberKey(w.Home, task.Cluster, task.ID)); s.LastStatus != ecs.TaskRunning {
			t.Error(s.LastStatus)
		}
		return nil
	})
}

// The interface of a network load balancer's node has the Elastic address that was asked for, and no groups where it has none.
func TestHiddenTaskWithAnElasticAddress(t *testing.T) {
	w := wired(t)
	h := vpcHome(w.Home)
	wings := tables.Wings{Network: network{pool: netip.MustParsePrefix("198.18.0.0/15")}}
	err := w.Store.Update(t.Context(), func(tx store.Tx) error {
		host(tx, w.Home, "near", "us-east-1a", launch.ProxyAttribute)
		vpctables.Elastics.Put(tx, &vpc.Elastic{Home: h, ID: "eipalloc-1", Addr: netip.MustParseAddr("198.18.1.1")})
		want := balancer(w, ecs.Guise{Type: vpc.NetworkBalancer, Allocation: "eipalloc-1", Private: netip.MustParseAddr("172.31.0.77"), Open: true}, true)
		want.SecurityGroups = nil
		task, _, err := hidden.Launch(tx, wings, want)
		if err != nil {
			return err
		}
		i, _ := vpctables.Interfaces.Peek(tx, vpctables.Key(h, task.Interface.ID))
		if p := i.Private[0]; p.Addr != want.Guise.Private || p.Public.String() != "198.18.1.1" || p.Elastic != "eipalloc-1" || !i.Open() || *i.RenderAttachment().InstanceOwnerId != "amazon-aws" {
			t.Errorf("%+v", i)
		}
		tables.AbandonTask(tx, wings, tables.MemberKey(w.Home, task.Cluster, task.ID), shape.TaskStopCodeTerminationNotice, "gone")
		if e, _ := vpctables.Elastics.Get(tx, vpctables.Key(h, "eipalloc-1")); e.Association != "" {
			t.Errorf("%+v", e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
