package ecsapi

import (
	"fmt"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// crowd is how many tasks run in the cluster of the benchmark: what an operation costs should not grow with them.
const crowd = 100_000

func BenchmarkInACrowd(b *testing.B) {
	s := mem.Open(tables.Schema(), mem.Options{})
	b.Cleanup(func() { _ = s.Close() })
	api := New(Config{Store: s})
	fill(b, s)
	run := func(name string, op func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := op(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("RunTask", func() error {
		_, err := api.RunTask(b.Context(), caller("RunTask"), &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")})
		return err
	})
	run("ListTasks of a small family", func() error {
		_, err := api.ListTasks(b.Context(), caller("ListTasks"), &shape.ListTasksRequest{Family: aws.Ptr("rare")})
		return err
	})
	last := &shape.ListTasksRequest{}
	run("ListTasks page by page", func() error {
		out, err := api.ListTasks(b.Context(), caller("ListTasks"), last)
		last.NextToken = out.NextToken
		return err
	})
	run("DescribeClusters", func() error {
		_, err := api.DescribeClusters(b.Context(), caller("DescribeClusters"), &shape.DescribeClustersRequest{})
		return err
	})
}

// fill makes a cluster of 100 instances with the tasks of one family.
func fill(b *testing.B, s store.Store) {
	b.Helper()
	update := func(fn func(store.Tx)) {
		if err := s.Update(b.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	const instances = 100
	instance := func(n int) string { return fmt.Sprintf("%032x", n%instances) }
	update(func(tx store.Tx) {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: us, Name: "default", Status: ecs.ClusterActive})
		tables.Families.Put(tx, &ecs.Family{Home: us, Name: "web", Last: 1, Active: 1})
		tables.TaskDefinitions.Put(tx, &ecs.TaskDefinition{Home: us, Family: "web", Revision: 1, Document: shape.TaskDefinition{
			Status: aws.Ptr("ACTIVE"), ContainerDefinitions: []shape.ContainerDefinition{{Name: aws.Ptr("app"), Memory: aws.Ptr(int32(1))}}}})
	})
	for n := range instances {
		update(func(tx store.Tx) {
			tables.Instances.Put(tx, &ecs.Instance{Home: us, Cluster: "default", ID: instance(n), Node: instance(n), LaunchType: "EC2"})
			tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: us, Cluster: "default", ID: instance(n), Status: ecs.InstanceActive, Connected: true})
			tables.Ledgers.Put(tx, &ecs.Ledger{Region: us.Region, Node: instance(n), Total: ecs.Amounts{CPU: 1 << 40, MemoryMiB: 1 << 40}})
		})
	}
	const atOnce = 25
	for from := 0; from < crowd; from += atOnce {
		update(func(tx store.Tx) {
			for n := from; n < from+atOnce; n++ {
				id := fmt.Sprintf("%032x", 1<<40+n)
				tables.Tasks.Put(tx, &ecs.Task{Home: us, Cluster: "default", ID: id, Family: "web", Revision: 1, Instance: instance(n), Node: instance(n), LaunchType: "EC2"})
				tables.TaskDesireds.Put(tx, &ecs.TaskDesired{Home: us, Cluster: "default", ID: id, Group: "family:web", Instance: instance(n), Status: ecs.TaskRunning})
				tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: us, Cluster: "default", ID: id, Instance: instance(n), LastStatus: ecs.TaskRunning})
			}
		})
	}
}
