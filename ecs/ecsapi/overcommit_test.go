package ecsapi

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// machineOf registers a node that offers FARGATE, in the cluster "nodes", with what it has now; again with its ARN.
func (r *region) machineOf(node string, arn *string, cpu, memory, storage int32) *string {
	r.Helper()
	in := machine()
	in.Cluster, in.ContainerInstanceArn = aws.Ptr("nodes"), arn
	in.TotalResources[0].IntegerValue, in.TotalResources[1].IntegerValue = &cpu, &memory
	in.TotalResources = append(in.TotalResources, shape.Resource{Name: aws.Ptr("EPHEMERAL_STORAGE"), Type: aws.Ptr("INTEGER"), IntegerValue: &storage})
	for name, value := range map[string]string{request.NodeAttribute: node, "berth.fargate": "enabled", "ecs.capability.task-eni": "", "ecs.capability.task-cpu-mem-limit": "",
		"com.amazonaws.ecs.capability.docker-remote-api.1.18": "", "ecs.capability.extensible-ephemeral-storage": ""} {
		in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr(name), Value: aws.Ptr(value)})
	}
	if node == "node-2" { // each task there has a sandbox
		in.Attributes = append(in.Attributes, shape.Attribute{Name: aws.Ptr("berth.fargate-runtime"), Value: aws.Ptr("runsc")})
	}
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, in)
	return out.ContainerInstance.ContainerInstanceArn
}

// ledgers are what is booked of each node, and what it registered.
func (r *region) ledgers() map[string]ecs.Ledger {
	out := map[string]ecs.Ledger{}
	_ = r.store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		for _, l := range tables.Ledgers.List(tx, "", "") {
			out[l.Node] = *l
		}
		return nil
	})
	return out
}

// A task on FARGATE has the memory that it asked for, and its sandbox what it takes beside it: both are booked, and a node is told both.
func TestSandboxesAreBooked(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("nodes")})
	r.tiny("tiny", nil)
	const sandbox = 40
	host := r.machineOf("node-2", nil, 1024, 2*(512+sandbox)+511, 1000)
	r.update(func(tx store.Tx) {
		tables.MarkConnected(tx, tables.MemberKey(us, "nodes", ecs.ShortID(*host)), "s", true)
	})
	out := must(r, shape.OpRunTask, r.api.RunTask, runTiny(count(3)))
	if len(out.Tasks) != 2 || len(out.Failures) != 1 || *out.Failures[0].Detail != "552 MiB of memory are required, 511 are available" {
		t.Fatalf("%d tasks, failures %s", len(out.Tasks), asText(out.Failures))
	}
	if m := aws.Val(out.Tasks[0].Memory); m != "512" {
		t.Errorf("a task shows %s MiB", m)
	}
	r.update(func(tx store.Tx) {
		for _, task := range tables.Tasks.List(tx, "", "") {
			if task.Holds.MemoryMiB != 512+sandbox || task.BesideMiB() != sandbox {
				t.Errorf("it holds %d MiB, %d beside its own", task.Holds.MemoryMiB, task.BesideMiB())
			}
		}
	})
	r.report(ecs.ShortID(*out.Tasks[0].TaskArn), "STOPPED")
	if l := r.ledgers()["node-2"]; l.Used.MemoryMiB != 512+sandbox {
		t.Errorf("%d MiB are booked", l.Used.MemoryMiB)
	}
}

// Whatever is placed, on EC2, FARGATE and Spot, stopped, reported and interrupted, while agents come and go and machines grow and shrink: nothing is
// booked that a node does not have, no port is given twice, and what is booked is what tasks hold that have not stopped.
func TestNothingIsOverCommitted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRegion(t)
		r.cluster()
		must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("nodes")})
		if _, err := putProviders(r, []string{"FARGATE", "FARGATE_SPOT"}); err != nil {
			t.Fatal(err)
		}
		r.tiny("tiny", nil)
		ported := simple("ported", 200, 300)
		ported.ContainerDefinitions[0].PortMappings = []shape.PortMapping{{ContainerPort: aws.Ptr(int32(80)), HostPort: aws.Ptr(int32(8080))}}
		must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, ported)
		b := booked{region: r, arns: map[string]*string{}}
		b.arns["node-1"] = r.machineOf("node-1", nil, 1024, 2048, 100)
		b.arns["node-2"] = r.machineOf("node-2", nil, 1024, 2048, 100)
		before := r.ledgers()
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			b.step(rt)
			before = b.check(rt, before)
		}
	})
}

type booked struct {
	*region
	arns  map[string]*string // of container instances, by node
	tasks []string           // keys
}

func (b *booked) step(t *rapid.T) {
	node := rapid.SampledFrom([]string{"node-1", "node-2"}).Draw(t, "node")
	host := tables.MemberKey(us, "nodes", ecs.ShortID(*b.arns[node]))
	task := ""
	if len(b.tasks) > 0 {
		task = rapid.SampledFrom(b.tasks).Draw(t, "task")
	}
	switch rapid.SampledFrom([]string{"EC2", "start", "FARGATE", "FARGATE", "FARGATE_SPOT", "FARGATE_SPOT", "stop", "running", "stopped", "stopped", "gone", "back", "back", "size"}).Draw(t, "what") {
	case "EC2":
		b.launched(must(b.region, shape.OpRunTask, b.api.RunTask, &shape.RunTaskRequest{Cluster: aws.Ptr("nodes"), TaskDefinition: aws.Ptr("ported"), Count: drawCount(t)}).Tasks)
	case "start":
		b.launched(must(b.region, shape.OpStartTask, b.api.StartTask, &shape.StartTaskRequest{Cluster: aws.Ptr("nodes"), TaskDefinition: aws.Ptr("ported"), ContainerInstances: []string{*b.arns[node]}}).Tasks)
	case "FARGATE":
		b.launched(must(b.region, shape.OpRunTask, b.api.RunTask, drawTiny(t)).Tasks)
	case "FARGATE_SPOT":
		in := drawTiny(t)
		by("FARGATE_SPOT")(in)
		b.launched(must(b.region, shape.OpRunTask, b.api.RunTask, in).Tasks)
	case "stop":
		b.update(func(tx store.Tx) { tables.StopTask(tx, tables.Wings{}, task, "UserInitiated", "x") })
	case "running":
		b.update(func(tx store.Tx) {
			tables.ReportTask(tx, tables.Wings{Network: network}, task, ecs.Report{Status: ecs.TaskRunning})
		})
	case "stopped":
		b.update(func(tx store.Tx) {
			tables.ReportTask(tx, tables.Wings{Network: network}, task, ecs.Report{Status: ecs.TaskStopped})
		})
	case "gone":
		b.update(func(tx store.Tx) { tables.MarkConnected(tx, host, "s", false) })
	case "back":
		b.update(func(tx store.Tx) { tables.MarkConnected(tx, host, "s", true) })
	case "size":
		b.arns[node] = b.machineOf(node, b.arns[node], rapid.Int32Range(0, 4096).Draw(t, "cpu"), rapid.Int32Range(0, 4096).Draw(t, "memory"), rapid.Int32Range(0, 300).Draw(t, "storage"))
	}
}

func drawCount(t *rapid.T) *int32 { return aws.Ptr(rapid.Int32Range(1, 3).Draw(t, "count")) }

func drawTiny(t *rapid.T) *shape.RunTaskRequest {
	in := runTiny()
	in.Count = drawCount(t)
	if rapid.Bool().Draw(t, "asks for storage") {
		in.Overrides = gibibytes(rapid.Int32Range(21, 200).Draw(t, "storage"))
	}
	return in
}

func (b *booked) launched(tasks []shape.Task) {
	for _, task := range tasks {
		a, _ := ecs.ParseARN(*task.TaskArn)
		b.tasks = append(b.tasks, tables.MemberKey(us, a.Parts[0], a.Parts[1]))
	}
}

// check holds the ledgers to the tasks, and to what they were: a node that registers less than is booked keeps its tasks, and gets no more.
func (b *booked) check(t *rapid.T, before map[string]ecs.Ledger) map[string]ecs.Ledger {
	now, sums, ports := b.ledgers(), map[string]ecs.Amounts{}, map[[2]any]string{}
	_ = b.store.View(b.Context(), store.Fresh, func(tx store.Tx) error {
		for key, task := range tables.Tasks.List(tx, "", "") {
			if s, _ := tables.TaskStatuses.Peek(tx, key); s.LastStatus == ecs.TaskStopped {
				continue
			}
			sum := sums[task.Node]
			sum.CPU, sum.MemoryMiB, sum.StorageGiB, sum.Tasks = sum.CPU+task.Holds.CPU, sum.MemoryMiB+task.Holds.MemoryMiB, sum.StorageGiB+task.Holds.StorageGiB, sum.Tasks+1
			sums[task.Node] = sum
			for _, p := range task.Holds.TCP {
				if other, taken := ports[[2]any{task.Node, p}]; taken {
					t.Fatalf("port %d of %s is of %s and %s", p, task.Node, other, key)
				}
				ports[[2]any{task.Node, p}] = key
			}
		}
		return nil
	})
	for node, l := range now {
		sum, old := sums[node], before[node].Used
		if l.Used.CPU != sum.CPU || l.Used.MemoryMiB != sum.MemoryMiB || l.Used.StorageGiB != sum.StorageGiB || l.Used.Tasks != sum.Tasks {
			t.Fatalf("%s: %+v are booked, and tasks hold %+v", node, l.Used, sum)
		}
		for what, n := range map[string][3]int64{"CPU": {l.Used.CPU, old.CPU, l.Total.CPU}, "memory": {l.Used.MemoryMiB, old.MemoryMiB, l.Total.MemoryMiB}, "storage": {l.Used.StorageGiB, old.StorageGiB, l.Total.StorageGiB}} {
			if n[0] > n[1] && n[0] > n[2] {
				t.Fatalf("%s: %d of %s were booked, %d before, and it has %d", node, n[0], what, n[1], n[2])
			}
		}
	}
	return now
}
