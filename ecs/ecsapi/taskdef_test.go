package ecsapi

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func (r *region) deregister(definition string) {
	r.Helper()
	must(r, shape.OpDeregisterTaskDefinition, r.api.DeregisterTaskDefinition, &shape.DeregisterTaskDefinitionRequest{TaskDefinition: &definition})
}

func (r *region) removeDefinition(definition string) *shape.DeleteTaskDefinitionsResponse {
	r.Helper()
	return must(r, shape.OpDeleteTaskDefinitions, r.api.DeleteTaskDefinitions, &shape.DeleteTaskDefinitionsRequest{TaskDefinitions: []string{definition}})
}

func TestRevisionsOfAFamily(t *testing.T) {
	r := newRegion(t)
	for range 11 {
		r.definition("web", 10, 64)
	}
	newest := func() (int32, error) {
		out, err := do(r, shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition, &shape.DescribeTaskDefinitionRequest{TaskDefinition: aws.Ptr("web")})
		if err != nil {
			return 0, err
		}
		return *out.TaskDefinition.Revision, nil
	}
	r.deregister("web:11")
	if n, err := newest(); n != 10 || err != nil {
		t.Errorf("the newest ACTIVE revision: %d, %v", n, err)
	}
	r.definition("web", 10, 64)
	if n, _ := newest(); n != 12 {
		t.Errorf("a number was used again: %d", n)
	}
	list := must(r, shape.OpListTaskDefinitions, r.api.ListTaskDefinitions, &shape.ListTaskDefinitionsRequest{FamilyPrefix: aws.Ptr("web"), Sort: aws.Ptr("DESC"), MaxResults: aws.Ptr(int32(3))})
	want := []string{us.TaskDefinitionARN("web", 12), us.TaskDefinitionARN("web", 10), us.TaskDefinitionARN("web", 9)}
	if d := cmp.Diff(want, list.TaskDefinitionArns); d != "" {
		t.Error(d)
	}
	rest := must(r, shape.OpListTaskDefinitions, r.api.ListTaskDefinitions, &shape.ListTaskDefinitionsRequest{FamilyPrefix: aws.Ptr("web"), Sort: aws.Ptr("DESC"), NextToken: list.NextToken})
	if len(rest.TaskDefinitionArns) != 8 || rest.TaskDefinitionArns[7] != us.TaskDefinitionARN("web", 1) {
		t.Errorf("%v", rest.TaskDefinitionArns)
	}
	inactive := must(r, shape.OpListTaskDefinitions, r.api.ListTaskDefinitions, &shape.ListTaskDefinitionsRequest{Status: aws.Ptr("INACTIVE")})
	if d := cmp.Diff([]string{us.TaskDefinitionARN("web", 11)}, inactive.TaskDefinitionArns); d != "" {
		t.Error(d)
	}
}

func TestInactiveDefinitionsStartNothingNew(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.instance()
	arn := r.definition("web", 10, 64)
	r.service("web", 1)
	r.deregister(arn)
	_, err := do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: &arn})
	refused(t, err, shape.CodeClientException, "TaskDefinition is inactive")
	_, err = do(r, shape.OpRunTask, r.api.RunTask, &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")})
	refused(t, err, shape.CodeClientException, "TaskDefinition not found.")
	_, err = do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: &arn})
	refused(t, err, shape.CodeClientException, "TaskDefinition is inactive")
	if _, err := do(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(3))}); err != nil {
		t.Errorf("a service cannot scale with an INACTIVE definition: %v", err)
	}
	out := must(r, shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition, &shape.DescribeTaskDefinitionRequest{TaskDefinition: &arn})
	if *out.TaskDefinition.Status != "INACTIVE" || out.TaskDefinition.DeregisteredAt == nil {
		t.Errorf("%+v", out.TaskDefinition)
	}
}

func TestDeleteTaskDefinitions(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	arn := r.definition("web", 10, 64)
	r.service("web", 0)
	if out := r.removeDefinition(arn); len(out.Failures) != 1 || len(out.TaskDefinitions) != 0 {
		t.Errorf("an ACTIVE definition was deleted: %+v", out)
	}
	r.deregister(arn)
	if out := r.removeDefinition(arn); *out.TaskDefinitions[0].Status != "DELETE_IN_PROGRESS" || out.TaskDefinitions[0].DeleteRequestedAt == nil {
		t.Errorf("%+v", out)
	}
	key := tables.RevisionKey(us, "web", 1)
	reap := func() (gone bool) {
		r.update(func(tx store.Tx) { gone = tables.ReapRevision(tx, key) })
		return gone
	}
	if reap() {
		t.Error("a definition went while a service uses it")
	}
	must(r, shape.OpDeleteService, r.api.DeleteService, &shape.DeleteServiceRequest{Service: aws.Ptr("web")})
	r.drained("web")
	if !reap() {
		t.Error("a definition stayed that nothing uses")
	}
	_, err := do(r, shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition, &shape.DescribeTaskDefinitionRequest{TaskDefinition: &arn})
	refused(t, err, shape.CodeClientException, "Unable to describe task definition.")
}

func TestFamilies(t *testing.T) {
	r := newRegion(t)
	for _, f := range []string{"web", "worker", "job"} {
		r.definition(f, 10, 64)
	}
	r.deregister("worker:1")
	for _, c := range []struct {
		prefix, status string
		want           []string
	}{
		{"", "", []string{"job", "web", "worker"}}, {"w", "ACTIVE", []string{"web"}}, {"", "INACTIVE", []string{"worker"}}, {"w", "ALL", []string{"web", "worker"}},
	} {
		out := must(r, shape.OpListTaskDefinitionFamilies, r.api.ListTaskDefinitionFamilies, &shape.ListTaskDefinitionFamiliesRequest{FamilyPrefix: &c.prefix, Status: &c.status})
		if d := cmp.Diff(c.want, out.Families); d != "" {
			t.Errorf("%q %q:\n%s", c.prefix, c.status, d)
		}
	}
}

func TestTagsOfADefinitionAreAnIncludeOnly(t *testing.T) {
	r := newRegion(t)
	in := simple("web", 10, 64)
	in.Tags = []shape.Tag{{Key: aws.Ptr("a"), Value: aws.Ptr("b")}}
	must(r, shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition, in)
	for _, include := range [][]string{nil, {"TAGS"}} {
		out := must(r, shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition, &shape.DescribeTaskDefinitionRequest{TaskDefinition: aws.Ptr("web"), Include: include})
		if len(out.Tags) != len(include) {
			t.Errorf("include %v: %v", include, out.Tags)
		}
	}
}
