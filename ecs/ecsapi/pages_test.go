package ecsapi

import (
	"context"
	"fmt"
	"slices"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// many writes records from first to last, as many in a transaction as fit.
func (r *region) many(first, last int, write func(store.Tx, int)) {
	r.Helper()
	for from := first; from < last; from += 30 {
		r.update(func(tx store.Tx) {
			for n := from; n < min(from+30, last); n++ {
				write(tx, n)
			}
		})
	}
}

func taskID(n int) string { return fmt.Sprintf("%032x", uint64(n)*0x9E3779B97F4A7C15) } // spread over all ids

func writeTask(tx store.Tx, n int) {
	id := taskID(n)
	tables.Tasks.Put(tx, &ecs.Task{Home: us, Cluster: "default", ID: id, Family: "web", Revision: 1, Group: "family:web", LaunchType: "EC2", CreatedAt: tx.Now()})
	tables.TaskDesireds.Put(tx, &ecs.TaskDesired{Home: us, Cluster: "default", ID: id, Group: "family:web", Status: ecs.TaskRunning})
	tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: us, Cluster: "default", ID: id, LastStatus: ecs.TaskRunning, Health: "UNKNOWN"})
}

// pager is what every paginator of the SDK is.
type pager[Out any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*ecssdk.Options)) (*Out, error)
}

// drain walks all pages; between two of them it lets something happen.
func drain[Out any](t *testing.T, p pager[Out], items func(*Out) []string, between func()) []string {
	t.Helper()
	var all []string
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, items(out)...)
		between()
	}
	return all
}

// Ten thousand tasks come in pages of a hundred, and those that are there throughout come once, whatever comes and goes between the pages.
func TestTenThousandTasksInPages(t *testing.T) {
	const count = 10_000
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.quiet.Store(true)
	r.many(0, count, writeTask)
	c := r.client()
	next, pages := count, 0
	churn := func() {
		pages++
		r.many(next, next+5, writeTask)
		r.update(func(tx store.Tx) { // what an even number has goes
			tables.StopTask(tx, tables.Wings{}, tables.MemberKey(us, "default", taskID(2*pages)), "UserInitiated", "gone")
		})
		next += 5
	}
	listed := drain(t, ecssdk.NewListTasksPaginator(c, &ecssdk.ListTasksInput{}), func(o *ecssdk.ListTasksOutput) []string { return o.TaskArns }, churn)
	if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
		t.Error("a task came twice, or out of order")
	}
	for n := range count {
		stopped := n > 0 && n%2 == 0 && n <= 2*pages
		if _, there := slices.BinarySearch(listed, us.TaskARN("default", taskID(n))); !there && !stopped {
			t.Fatalf("task %d of %d never came", n, count)
		}
	}
	if pages < count/100 {
		t.Errorf("%d pages", pages)
	}
	for batch := range slices.Chunk(listed[:1000], 100) {
		out, err := c.DescribeTasks(t.Context(), &ecssdk.DescribeTasksInput{Tasks: batch})
		if err != nil || len(out.Tasks) != len(batch) || *out.Tasks[99].TaskArn != batch[99] {
			t.Fatalf("%d of %d tasks: %v", len(out.Tasks), len(batch), err)
		}
	}
	few := drain(t, ecssdk.NewListTasksPaginator(c, &ecssdk.ListTasksInput{DesiredStatus: types.DesiredStatusStopped}, func(o *ecssdk.ListTasksPaginatorOptions) { o.Limit = 7 }),
		func(o *ecssdk.ListTasksOutput) []string { return o.TaskArns }, func() {})
	if len(few) != pages {
		t.Errorf("%d stopped tasks in pages of 7, want %d", len(few), pages)
	}
}

// Every other list of the SDK that has pages comes whole, in order, once.
func TestEveryListInPages(t *testing.T) {
	const count = 257
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.service("web", 0)
	r.quiet.Store(true)
	r.many(0, count, func(tx store.Tx, n int) {
		name := fmt.Sprintf("n%04d", n)
		tables.Clusters.Put(tx, &ecs.Cluster{Home: us, Name: name, Status: ecs.ClusterActive})
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(us, "web", 1))
		revision := *d
		revision.Revision = int32(n + 2)
		revision.Document.Revision = aws.Ptr(revision.Revision)
		tables.TaskDefinitions.Put(tx, &revision)
	})
	r.many(0, count, func(tx store.Tx, n int) {
		name := fmt.Sprintf("n%04d", n)
		tables.Families.Put(tx, &ecs.Family{Home: us, Name: name, Last: 1, Active: 1})
		s, _ := tables.Services.Peek(tx, tables.MemberKey(us, "default", "web"))
		service := *s
		service.Name = name
		tables.Services.Put(tx, &service)
	})
	r.many(0, count, func(tx store.Tx, n int) {
		id := fmt.Sprintf("n%04d", n)
		tables.Instances.Put(tx, &ecs.Instance{Home: us, Cluster: "default", ID: id, Node: id, LaunchType: "EC2",
			Attributes: []shape.Attribute{{Name: aws.Ptr("a"), Value: aws.Ptr("1")}, {Name: aws.Ptr("b")}}})
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: us, Cluster: "default", ID: id, Status: ecs.InstanceActive})
	})
	c := r.client()
	for name, list := range map[string]struct {
		got  []string
		want int
	}{
		"ListClusters": {drain(t, ecssdk.NewListClustersPaginator(c, &ecssdk.ListClustersInput{}),
			func(o *ecssdk.ListClustersOutput) []string { return o.ClusterArns }, func() {}), count + 1},
		"ListTaskDefinitionFamilies": {drain(t, ecssdk.NewListTaskDefinitionFamiliesPaginator(c, &ecssdk.ListTaskDefinitionFamiliesInput{}),
			func(o *ecssdk.ListTaskDefinitionFamiliesOutput) []string { return o.Families }, func() {}), count + 1},
		"ListServices": {drain(t, ecssdk.NewListServicesPaginator(c, &ecssdk.ListServicesInput{}),
			func(o *ecssdk.ListServicesOutput) []string { return o.ServiceArns }, func() {}), count + 1},
		"ListContainerInstances": {drain(t, ecssdk.NewListContainerInstancesPaginator(c, &ecssdk.ListContainerInstancesInput{Filter: awssdk.String("attribute:a == 1")}),
			func(o *ecssdk.ListContainerInstancesOutput) []string { return o.ContainerInstanceArns }, func() {}), count},
		"ListAttributes":      {drain(t, ecssdk.NewListAttributesPaginator(c, &ecssdk.ListAttributesInput{TargetType: types.TargetTypeContainerInstance}), attributeLines, func() {}), 2 * count},
		"ListAccountSettings": {drain(t, ecssdk.NewListAccountSettingsPaginator(c, &ecssdk.ListAccountSettingsInput{EffectiveSettings: true}), settingLines, func() {}), 12},
	} {
		if len(list.got) != list.want || !slices.IsSorted(list.got) || len(slices.Compact(slices.Clone(list.got))) != list.want {
			t.Errorf("%s: %d items, want %d, in order and once", name, len(list.got), list.want)
		}
	}
	for _, order := range []types.SortOrder{types.SortOrderAsc, types.SortOrderDesc} {
		got := drain(t, ecssdk.NewListTaskDefinitionsPaginator(c, &ecssdk.ListTaskDefinitionsInput{Sort: order}),
			func(o *ecssdk.ListTaskDefinitionsOutput) []string { return o.TaskDefinitionArns }, func() {})
		if order == types.SortOrderDesc {
			slices.Reverse(got)
		}
		if len(got) != count+1 || got[0] != us.TaskDefinitionARN("web", 1) || got[9] != us.TaskDefinitionARN("web", 10) || got[count] != us.TaskDefinitionARN("web", count+1) {
			t.Errorf("ListTaskDefinitions %s: %d revisions", order, len(got))
		}
	}
}

func attributeLines(o *ecssdk.ListAttributesOutput) (lines []string) {
	for _, a := range o.Attributes {
		lines = append(lines, *a.TargetId+" "+*a.Name)
	}
	return lines
}

func settingLines(o *ecssdk.ListAccountSettingsOutput) (lines []string) {
	for _, s := range o.Settings {
		lines = append(lines, string(s.Name))
	}
	return lines
}
