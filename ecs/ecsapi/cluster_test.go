package ecsapi

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestCreateClusterAgainAnswersIt(t *testing.T) {
	r := newRegion(t)
	in := &shape.CreateClusterRequest{ClusterName: aws.Ptr("blue"), Tags: []shape.Tag{{Key: aws.Ptr("a"), Value: aws.Ptr("1")}}}
	first := must(r, shape.OpCreateCluster, r.api.CreateCluster, in)
	again := must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("blue")})
	if d := cmp.Diff(first, again); d != "" {
		t.Error(d)
	}
	if s := first.Cluster.Settings; len(s) != 1 || *s[0].Name != "containerInsights" || *s[0].Value != "disabled" {
		t.Errorf("settings: %+v", s)
	}
}

func TestDescribeClusters(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	r.report(r.run(r.definition("web", 64, 64)), ecs.TaskRunning)
	r.run("web")
	out := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{
		Clusters: []string{"default", us.ClusterARN("default"), "gone"}, Include: []string{"STATISTICS", "SETTINGS", "TAGS", "CONFIGURATIONS", "ATTACHMENTS"}})
	if len(out.Clusters) != 2 || len(out.Failures) != 1 || *out.Failures[0].Reason != "MISSING" || *out.Failures[0].Arn != us.ClusterARN("gone") {
		t.Fatalf("%d clusters, failures %+v", len(out.Clusters), out.Failures)
	}
	k := out.Clusters[0]
	if *k.RunningTasksCount != 1 || *k.PendingTasksCount != 1 || *k.RegisteredContainerInstancesCount != 1 {
		t.Errorf("running %d, pending %d, instances %d", *k.RunningTasksCount, *k.PendingTasksCount, *k.RegisteredContainerInstancesCount)
	}
	i := slices.IndexFunc(k.Statistics, func(kv shape.KeyValuePair) bool { return *kv.Name == "runningEC2TasksCount" })
	if i < 0 || *k.Statistics[i].Value != "1" {
		t.Errorf("statistics: %+v", k.Statistics)
	}
	bare := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{})
	if k := bare.Clusters[0]; len(k.Statistics)+len(k.Settings) != 0 {
		t.Errorf("includes that nobody asked for: %+v", k)
	}
}

func TestUpdateCluster(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	insights := []shape.ClusterSetting{{Name: aws.Ptr("containerInsights"), Value: aws.Ptr("enhanced")}}
	out := must(r, shape.OpUpdateClusterSettings, r.api.UpdateClusterSettings, &shape.UpdateClusterSettingsRequest{Cluster: aws.Ptr("default"), Settings: insights})
	if *out.Cluster.Settings[0].Value != "enhanced" {
		t.Errorf("%+v", out.Cluster.Settings)
	}
	logging := &shape.ClusterConfiguration{ExecuteCommandConfiguration: &shape.ExecuteCommandConfiguration{Logging: aws.Ptr("NONE")}}
	updated := must(r, shape.OpUpdateCluster, r.api.UpdateCluster, &shape.UpdateClusterRequest{Cluster: aws.Ptr("default"), Configuration: logging})
	if updated.Cluster.Configuration == nil || *updated.Cluster.Settings[0].Value != "enhanced" {
		t.Errorf("what was absent did not stay: %+v", updated.Cluster)
	}
}

func TestDeleteCluster(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	remove := func() error {
		_, err := do(r, shape.OpDeleteCluster, r.api.DeleteCluster, &shape.DeleteClusterRequest{Cluster: aws.Ptr("default")})
		return err
	}
	instance := r.instance()
	refused(t, remove(), shape.CodeClusterContainsContainerInstancesException, "The Cluster cannot be deleted while Container Instances are active or draining.")
	task := r.run(r.definition("web", 64, 64))
	must(r, shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance, &shape.DeregisterContainerInstanceRequest{ContainerInstance: &instance, Force: aws.Ptr(true)})
	if got := r.task(task); *got.LastStatus != "STOPPED" || *got.StoppedReason != ecs.ReasonDeregistration {
		t.Errorf("a task of a deregistered instance: %s %q", *got.LastStatus, *got.StoppedReason)
	}
	r.service("web", 0)
	refused(t, remove(), shape.CodeClusterContainsServicesException, "The Cluster cannot be deleted while Services are active.")
	must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web")})
	r.drained("web")
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	gone := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{})
	if *gone.Clusters[0].Status != "INACTIVE" {
		t.Errorf("status %s", *gone.Clusters[0].Status)
	}
	if list := must(r, shape.OpListClusters, r.api.ListClusters, &shape.ListClustersRequest{}); len(list.ClusterArns) != 0 {
		t.Errorf("an INACTIVE cluster is listed: %v", list.ClusterArns)
	}
	if err := remove(); err != nil {
		t.Errorf("deleting it again: %v", err)
	}
	_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")})
	refused(t, err, shape.CodeClusterNotFoundException, "The referenced cluster was inactive.")
	_, err = do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, machine())
	refused(t, err, shape.CodeClientException, "The referenced cluster was inactive.")
	_, err = do(r, shape.OpTagResource, r.api.TagResource, &shape.TagResourceRequest{ResourceArn: aws.Ptr(us.ClusterARN("default")), Tags: []shape.Tag{tag("a", "b")}})
	refused(t, err, shape.CodeInvalidParameterException, "The specified cluster is inactive. Specify an active cluster and try again.")
	if again := must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{}); *again.Cluster.Status != "ACTIVE" {
		t.Errorf("created again: %s", *again.Cluster.Status)
	}
}

func TestDeleteClusterRefusesTasks(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	instance := r.instance()
	r.run(r.definition("web", 64, 64))
	// The instance goes without its task having been given up.
	r.update(func(tx store.Tx) {
		s, _ := tables.InstanceStates.Get(tx, tables.MemberKey(us, "default", instance))
		next := *s
		next.Status = ecs.InstanceInactive
		tables.InstanceStates.Put(tx, &next)
	})
	_, err := do(r, shape.OpDeleteCluster, r.api.DeleteCluster, &shape.DeleteClusterRequest{Cluster: aws.Ptr("default")})
	refused(t, err, shape.CodeClusterContainsTasksException, "The Cluster cannot be deleted while Tasks are active.")
	out := must(r, shape.OpDescribeClusters, r.api.DescribeClusters, &shape.DescribeClustersRequest{})
	if *out.Clusters[0].Status != "ACTIVE" {
		t.Errorf("a refused deletion left %s", *out.Clusters[0].Status)
	}
}

// A cluster that is marked refuses whoever would create something in it; when there
// was something after all, the second step takes the mark back.
func TestDeleteClusterInTwoSteps(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	marked, err := r.api.markDeleting(r.Context(), tables.ClusterKey(us, "default"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = do(r, shape.OpCreateService, r.api.CreateService, newServiceRequest("web", 1))
	refused(t, err, shape.CodeClientException, "The cluster is being deleted.")
	_, err = do(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, machine())
	refused(t, err, shape.CodeClientException, "The cluster is being deleted.")
	r.update(func(tx store.Tx) {
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: us, Cluster: "default", ID: "i", Status: ecs.InstanceActive})
	})
	_, err = r.api.finishDeleting(r.Context(), tables.ClusterKey(us, "default"), marked)
	refused(t, err, shape.CodeClusterContainsContainerInstancesException, "")
	if again := must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{}); *again.Cluster.Status != "ACTIVE" {
		t.Errorf("the mark stayed: %s", *again.Cluster.Status)
	}
}

// A loop may settle a deletion between its two steps: the answer is the same.
func TestDeleteClusterSettledByAnother(t *testing.T) {
	key := tables.ClusterKey(us, "default")
	occupy := func(tx store.Tx) {
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: us, Cluster: "default", ID: "i", Status: ecs.InstanceActive})
	}
	settle := func(tx store.Tx) {
		k, _ := tables.Clusters.Get(tx, key)
		_, _ = tables.SettleDeletion(tx, k)
	}
	empty := func(tx store.Tx) { tables.InstanceStates.Delete(tx, tables.MemberKey(us, "default", "i")) }
	forget := func(tx store.Tx) { tables.Clusters.Delete(tx, key) }
	again := func(tx store.Tx) {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: us, Name: "default", Status: ecs.ClusterActive, CreatedAt: tx.Now().Add(1)})
	}
	for _, c := range []struct {
		name    string
		between []func(store.Tx)
		refused string
		begins  bool // anew
	}{
		{"finished", []func(store.Tx){settle}, "", false},
		{"finished and forgotten", []func(store.Tx){settle, forget}, "", false},
		{"finished and created again", []func(store.Tx){settle, again}, "", false},
		{"taken back", []func(store.Tx){occupy, settle}, shape.CodeClusterContainsContainerInstancesException, false},
		{"taken back, then emptied", []func(store.Tx){occupy, settle, empty}, "", true},
	} {
		r := newRegion(t)
		r.cluster()
		marked, err := r.api.markDeleting(r.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range c.between {
			r.update(fn)
		}
		out, err := r.api.finishDeleting(r.Context(), key, marked)
		switch {
		case c.begins:
			if !errors.Is(err, errTakenBack) {
				t.Errorf("%s: %v", c.name, err)
			}
		case c.refused != "":
			refused(t, err, c.refused, "The Cluster cannot be deleted while")
		case err != nil || *out.Status != ecs.ClusterInactive:
			t.Errorf("%s: %+v %v", c.name, out, err)
		}
	}
}

func TestListClustersPages(t *testing.T) {
	r := newRegion(t)
	for _, name := range []string{"c", "a", "b"} {
		must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: &name})
	}
	var got []string
	in := &shape.ListClustersRequest{MaxResults: aws.Ptr(int32(2))}
	for {
		out := must(r, shape.OpListClusters, r.api.ListClusters, in)
		got = append(got, out.ClusterArns...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if d := cmp.Diff([]string{us.ClusterARN("a"), us.ClusterARN("b"), us.ClusterARN("c")}, got); d != "" {
		t.Error(d)
	}
	_, err := do(r, shape.OpListClusters, r.api.ListClusters, &shape.ListClustersRequest{NextToken: aws.Ptr("bogus")})
	refused(t, err, shape.CodeInvalidParameterException, "nextToken")
}
