package ecsapi

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func item(provider string, weight, base int32) shape.CapacityProviderStrategyItem {
	return shape.CapacityProviderStrategyItem{CapacityProvider: &provider, Weight: &weight, Base: &base}
}

func putProviders(r *region, providers []string, items ...shape.CapacityProviderStrategyItem) (shape.Cluster, error) {
	out, err := do(r, shape.OpPutClusterCapacityProviders, r.api.PutClusterCapacityProviders, &shape.PutClusterCapacityProvidersRequest{
		Cluster: aws.Ptr("default"), CapacityProviders: providers, DefaultCapacityProviderStrategy: items})
	if err != nil {
		return shape.Cluster{}, err
	}
	return *out.Cluster, nil
}

// described are the names that DescribeCapacityProviders answers, and its failures.
func (r *region) providers(in shape.DescribeCapacityProvidersRequest) string {
	r.Helper()
	out := must(r, shape.OpDescribeCapacityProviders, r.api.DescribeCapacityProviders, &in)
	var names []string
	for _, p := range out.CapacityProviders {
		if *p.Status != "ACTIVE" || *p.CapacityProviderArn != "arn:aws:ecs:us-east-1:000000000000:capacity-provider/"+*p.Name {
			r.Errorf("%+v", p)
		}
		names = append(names, *p.Name)
	}
	for _, f := range out.Failures {
		names = append(names, *f.Reason+" "+ecs.ShortID(*f.Arn))
	}
	return strings.Join(names, ", ")
}

func TestCapacityProviders(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := func(cluster string, names ...string) shape.DescribeCapacityProvidersRequest {
		q := shape.DescribeCapacityProvidersRequest{CapacityProviders: names}
		if cluster != "" {
			q.Cluster = &cluster
		}
		return q
	}
	for want, got := range map[string]string{
		"FARGATE, FARGATE_SPOT":      r.providers(in("")),
		"FARGATE, MISSING mine":      r.providers(in("", "mine", us.ProviderARN("FARGATE"))),
		"":                           r.providers(in("default")),
		"FARGATE_SPOT, MISSING mine": r.providers(in("", "FARGATE_SPOT", "mine", "FARGATE_SPOT")),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	k, err := putProviders(r, []string{"FARGATE", "FARGATE_SPOT"}, item("FARGATE", 1, 2), shape.CapacityProviderStrategyItem{CapacityProvider: aws.Ptr("FARGATE_SPOT")})
	if err != nil || len(k.CapacityProviders) != 2 || len(k.DefaultCapacityProviderStrategy) != 2 || *k.AttachmentsStatus != "UPDATE_COMPLETE" {
		t.Fatalf("%+v %v", k, err)
	}
	if d := k.DefaultCapacityProviderStrategy[1]; *d.Weight != 0 || *d.Base != 0 {
		t.Errorf("what is absent is zero: %+v", d)
	}
	if k, err = putProviders(r, []string{"FARGATE_SPOT"}); err != nil || len(k.DefaultCapacityProviderStrategy) != 0 {
		t.Errorf("%+v %v", k, err)
	}
	if got := r.providers(in("default")); got != "FARGATE_SPOT" {
		t.Errorf("of the cluster: %s", got)
	}
	made := must(r, shape.OpCreateCluster, r.api.CreateCluster, &shape.CreateClusterRequest{ClusterName: aws.Ptr("blue"),
		CapacityProviders: []string{"FARGATE"}, DefaultCapacityProviderStrategy: []shape.CapacityProviderStrategyItem{item("FARGATE", 1, 0)}})
	if len(made.Cluster.CapacityProviders) != 1 || len(made.Cluster.DefaultCapacityProviderStrategy) != 1 {
		t.Errorf("made with providers: %+v", made.Cluster)
	}
}

// AWS: what a service uses cannot be taken from its cluster; ResourceInUseException.
func TestAProviderInUseStays(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.service("web", 0)
	if _, err := putProviders(r, []string{"FARGATE"}); err != nil {
		t.Fatal(err)
	}
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, tables.MemberKey(us, "default", "web"))
		next := *s
		next.Target.CapacityStrategy = []shape.CapacityProviderStrategyItem{item("FARGATE", 1, 0)}
		tables.Services.Put(tx, &next)
	})
	_, err := putProviders(r, nil)
	refused(t, err, shape.CodeResourceInUseException, "in use and cannot be removed")
	must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web")})
	r.drained("web")
	if _, err := putProviders(r, nil); err != nil {
		t.Errorf("after its service: %v", err)
	}
}

// A cluster's default strategy is meant when a request says nothing; a launch type overrides it.
func TestWhereNobodySaysTheClustersStrategyIsMeant(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.instance()
	if _, err := putProviders(r, []string{"FARGATE"}, item("FARGATE", 1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")})
	refused(t, err, badParameter, "Task definition does not support launch_type FARGATE.")
	if out := must(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), LaunchType: aws.Ptr("EC2")}); len(out.Tasks) != 1 {
		t.Errorf("%+v", out.Failures)
	}
}

func TestUpdateContainerAgent(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	in := &shape.UpdateContainerAgentRequest{ContainerInstance: aws.Ptr(r.instance())}
	_, err := do(r, shape.OpUpdateContainerAgent, r.api.UpdateContainerAgent, in)
	refused(t, err, shape.CodeMissingVersionException, "cannot be determined")
	told := machine()
	told.VersionInfo = &shape.VersionInfo{AgentVersion: aws.Ptr("1.105.1")}
	out := must(r, shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance, told)
	in.ContainerInstance = out.ContainerInstance.ContainerInstanceArn
	_, err = do(r, shape.OpUpdateContainerAgent, r.api.UpdateContainerAgent, in)
	refused(t, err, shape.CodeNoUpdateAvailableException, "There is no update available for your container agent.")
}
