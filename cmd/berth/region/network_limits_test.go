package region

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// As many tasks as may be launched at once, each in a subnet of its own with IPv6, with all the groups there may be and tags, on as many
// nodes: they fit into one transaction, with room for what callers write beside, and so does their end.
func TestTheLargestLaunchFitsOneTransaction(t *testing.T) {
	w := wired(t)
	h := vpcHome(w.Home)
	definition := &ecs.TaskDefinition{Home: w.Home, Family: "net", Revision: 1, Document: shape.TaskDefinition{
		Status: aws.Ptr("ACTIVE"), NetworkMode: aws.Ptr("awsvpc"), ContainerDefinitions: []shape.ContainerDefinition{{Name: aws.Ptr("app"), Memory: aws.Ptr(int32(10))}},
	}}
	c := &shape.AwsVpcConfiguration{}
	update := func(fn func(store.Tx) error) {
		t.Helper()
		if err := w.Store.Update(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx store.Tx) error {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: w.Home, Name: "c", Status: ecs.ClusterActive})
		tables.TaskDefinitions.Put(tx, definition)
		v, _ := vpctables.DefaultVPC(tx, h)
		c.Subnets, c.SecurityGroups = nil, nil
		for i := range 16 {
			s := &vpc.Subnet{Home: h, ID: fmt.Sprintf("subnet-%017x", i), VPC: v.ID, Zone: "us-east-1a", CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(64 + i), 0}), 24),
				AssignIPv6: true, Blocks6: []vpc.Block{{CIDR: netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 1, 2, 3, 4, 5, byte(i)}), 64)}}}
			vpctables.Subnets.Put(tx, s)
			c.Subnets = append(c.Subnets, s.ID)
		}
		for i := range 5 {
			vpctables.SecurityGroups.Put(tx, &vpc.SecurityGroup{Home: h, ID: fmt.Sprintf("sg-%017x", i), VPC: v.ID, Name: strconv.Itoa(i)})
			c.SecurityGroups = append(c.SecurityGroups, fmt.Sprintf("sg-%017x", i))
		}
		return nil
	})
	update(func(tx store.Tx) error {
		for i := range tables.MaxAttached {
			id := fmt.Sprintf("i%d", i)
			tables.Instances.Put(tx, &ecs.Instance{Home: w.Home, Cluster: "c", ID: id, Node: "n" + id, LaunchType: "EC2", Attributes: []shape.Attribute{
				{Name: aws.Ptr(place.Zone), Value: aws.Ptr("us-east-1a")}, {Name: aws.Ptr(place.BerthNode), Value: aws.Ptr("n" + id)}}})
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: w.Home, Cluster: "c", ID: id, Status: ecs.InstanceActive, Connected: true})
			tables.Ledgers.Put(tx, &ecs.Ledger{Region: w.Home.Region, Node: "n" + id, Total: ecs.Amounts{CPU: 1000, MemoryMiB: 1000}})
		}
		return nil
	})
	var made []*ecs.Task
	update(func(tx store.Tx) error {
		r, err := tables.TryLaunch(tx, tables.Wings{Network: network{}}, launch.Spec{Home: w.Home, Cluster: "c", Definition: definition, Count: tables.MaxAttached, Service: "s", Group: "service:s",
			Deployment: "ecs-svc/1", Network: &shape.NetworkConfiguration{AwsvpcConfiguration: c}, Tags: []shape.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("v")}}})
		made = r.Tasks
		for i := range 5 { // what an API or a loop compares and writes beside
			tables.Services.Get(tx, tables.MemberKey(w.Home, "c", strconv.Itoa(i)))
			tables.ServiceEvents.Put(tx, &ecs.ServiceEvent{Home: w.Home, Cluster: "c", Service: "s", ID: strconv.Itoa(i)})
		}
		return err
	})
	used, nodes := map[string]bool{}, map[string]bool{}
	for _, task := range made {
		used[task.Interface.Subnet], nodes[task.Node] = true, true
		if len(task.Interface.IPv6) != 1 {
			t.Errorf("%+v", task.Interface)
		}
	}
	if len(made) != tables.MaxAttached || len(used) != len(made) || len(nodes) != len(made) {
		t.Errorf("%d tasks in %d subnets on %d nodes", len(made), len(used), len(nodes))
	}
	update(func(tx store.Tx) error {
		for _, task := range made {
			tables.AbandonTask(tx, tables.Wings{Network: network{}}, tables.MemberKey(w.Home, "c", task.ID), "TaskFailedToStart", "gone")
		}
		return nil
	})
	update(func(tx store.Tx) error {
		for range vpctables.Interfaces.List(tx, vpctables.All(h), "") {
			t.Error("an interface is left")
		}
		return nil
	})
}
