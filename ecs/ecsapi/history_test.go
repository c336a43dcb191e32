package ecsapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func (r *region) deployments(in shape.ListServiceDeploymentsRequest) []shape.ServiceDeploymentBrief {
	r.Helper()
	in.Service = aws.Ptr("web")
	return must(r, shape.OpListServiceDeployments, r.api.ListServiceDeployments, &in).ServiceDeployments
}

func (r *region) deployment(arn *string) shape.ServiceDeployment {
	r.Helper()
	out := must(r, shape.OpDescribeServiceDeployments, r.api.DescribeServiceDeployments, &shape.DescribeServiceDeploymentsRequest{ServiceDeploymentArns: []string{*arn}})
	if len(out.ServiceDeployments) != 1 {
		r.Fatalf("service deployment %s: %+v", *arn, out.Failures)
	}
	return out.ServiceDeployments[0]
}

// complete does what the service loop does when the newest deployment is done.
func (r *region) complete(name string) {
	r.Helper()
	r.update(func(tx store.Tx) {
		s, _ := tables.Services.Get(tx, tables.MemberKey(us, "default", name))
		done := s.Target
		tables.ServiceStatuses.Put(tx, &ecs.ServiceStatus{Home: us, Cluster: "default", Name: name, Incarnation: s.Incarnation, Completed: &done,
			Deployments: []ecs.DeploymentStatus{{Deployment: done, UpdatedAt: tx.Now(), RolloutState: "COMPLETED", Reason: "done"}}})
		for _, v := range tables.Unfinished(tx, s) {
			tables.ServiceDeploymentStatuses.Put(tx, &ecs.ServiceDeploymentStatus{Home: us, Cluster: "default", Service: name, ID: v.ID,
				Status: "SUCCESSFUL", StartedAt: v.CreatedAt, UpdatedAt: tx.Now(), FinishedAt: tx.Now(), Threshold: 3,
				Counts: map[string]ecs.DeploymentCounts{v.Target: {Desired: 2, Running: 2}}})
		}
	})
}

// What Terraform matches: the digits of the deployment's id are the tail of the revision's ARN that the service deployment names.
func TestServiceDeploymentsAreRecorded(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	s := r.service("web", 2)
	digits := strings.TrimPrefix(*s.Deployments[0].Id, "ecs-svc/")
	all := r.deployments(shape.ListServiceDeploymentsRequest{})
	if len(all) != 1 || *all[0].Status != "PENDING" || !strings.HasSuffix(*all[0].TargetServiceRevisionArn, "/"+digits) {
		t.Fatalf("%+v", all)
	}
	if arn := *all[0].ServiceDeploymentArn; *s.CurrentServiceDeployment != arn || !strings.HasPrefix(arn, "arn:aws:ecs:us-east-1:000000000000:service-deployment/default/web/") {
		t.Errorf("current %s, listed %s", *s.CurrentServiceDeployment, arn)
	}
	if !all[0].CreatedAt.Equal(r.now) {
		t.Errorf("created at %v", all[0].CreatedAt)
	}
	first := r.deployment(all[0].ServiceDeploymentArn)
	if d := cmp.Diff(&shape.ServiceRevisionSummary{Arn: all[0].TargetServiceRevisionArn,
		RequestedTaskCount: aws.Ptr(int32(2)), RunningTaskCount: aws.Ptr(int32(0)), PendingTaskCount: aws.Ptr(int32(0))}, first.TargetServiceRevision); d != "" {
		t.Error(d)
	}
	if first.LifecycleStage != nil || len(first.SourceServiceRevisions) != 0 || *first.DeploymentCircuitBreaker.Status != "DISABLED" || *first.DeploymentConfiguration.Strategy != "ROLLING" {
		t.Errorf("%+v", first)
	}
	revision := must(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions,
		&shape.DescribeServiceRevisionsRequest{ServiceRevisionArns: []string{*all[0].TargetServiceRevisionArn}}).ServiceRevisions[0]
	if *revision.TaskDefinition != us.TaskDefinitionARN("web", 1) || *revision.LaunchType != "EC2" || *revision.ContainerImages[0].Image != "web:1" || *revision.ContainerImages[0].ContainerName != "app" {
		t.Errorf("%+v", revision)
	}
	if len(s.CurrentServiceRevisions) != 1 || *s.CurrentServiceRevisions[0].Arn != *all[0].TargetServiceRevisionArn {
		t.Errorf("current revisions %+v", s.CurrentServiceRevisions)
	}
}

func TestOnlyDeploymentsMakeServiceDeployments(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 2)
	r.complete("web")
	change := func(in shape.UpdateServiceRequest) shape.Service {
		r.now = r.now.Add(time.Second)
		in.Service = aws.Ptr("web")
		return *must(r, shape.OpUpdateService, r.api.UpdateService, &in).Service
	}
	change(shape.UpdateServiceRequest{DesiredCount: aws.Ptr(int32(3)), HealthCheckGracePeriodSeconds: aws.Ptr(int32(7))})
	if n := len(r.deployments(shape.ListServiceDeploymentsRequest{})); n != 1 {
		t.Errorf("%d service deployments after a change of the desired count", n)
	}
	forced := change(shape.UpdateServiceRequest{ForceNewDeployment: aws.Ptr(true)})
	if *forced.HealthCheckGracePeriodSeconds != 7 {
		t.Errorf("grace period %v", forced.HealthCheckGracePeriodSeconds)
	}
	all := r.deployments(shape.ListServiceDeploymentsRequest{})
	if len(all) != 2 || *all[0].ServiceDeploymentArn != *forced.CurrentServiceDeployment || !all[0].CreatedAt.After(all[1].CreatedAt.Time) {
		t.Fatalf("%+v", all)
	}
	d := r.deployment(all[0].ServiceDeploymentArn)
	if len(d.SourceServiceRevisions) != 1 || *d.SourceServiceRevisions[0].Arn != *all[1].TargetServiceRevisionArn {
		t.Errorf("sources %+v", d.SourceServiceRevisions)
	}
	if done := r.deployment(all[1].ServiceDeploymentArn); *done.Status != "SUCCESSFUL" || *done.TargetServiceRevision.RunningTaskCount != 2 || done.FinishedAt == nil {
		t.Errorf("the first: %+v", done)
	}
}

func TestServiceDeploymentFiltersAndPages(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 1)
	r.complete("web")
	var times []time.Time
	for range 4 {
		r.now = r.now.Add(1500 * time.Microsecond)
		s := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), ForceNewDeployment: aws.Ptr(true)}).Service
		times = append(times, s.Deployments[0].CreatedAt.Time) // what a client knows: the milliseconds
	}
	for want, in := range map[string]shape.ListServiceDeploymentsRequest{
		"PENDING PENDING":                 {CreatedAt: &shape.CreatedAt{After: &aws.Time{Time: times[1]}}},
		"PENDING SUCCESSFUL":              {CreatedAt: &shape.CreatedAt{Before: &aws.Time{Time: times[1]}}},
		"PENDING":                         {CreatedAt: &shape.CreatedAt{After: &aws.Time{Time: times[0]}, Before: &aws.Time{Time: times[2]}}},
		"SUCCESSFUL":                      {Status: []string{"SUCCESSFUL", "STOPPED"}},
		"PENDING PENDING PENDING PENDING": {Status: []string{"PENDING"}},
		"":                                {CreatedAt: &shape.CreatedAt{After: &aws.Time{Time: times[3]}}},
	} {
		var got []string
		for _, d := range r.deployments(in) {
			got = append(got, *d.Status)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	in := shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"), MaxResults: aws.Ptr(int32(2))}
	seen := map[string]bool{}
	for pages := 0; pages == 0 || in.NextToken != nil; pages++ {
		out := must(r, shape.OpListServiceDeployments, r.api.ListServiceDeployments, &in)
		for _, d := range out.ServiceDeployments {
			seen[*d.ServiceDeploymentArn] = true
		}
		in.NextToken = out.NextToken
		if pages == 0 { // newer ones do not disturb the pages behind
			must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), ForceNewDeployment: aws.Ptr(true)})
		}
	}
	if len(seen) != 5 {
		t.Errorf("%d on all pages, want 5", len(seen))
	}
}

func TestStopServiceDeployment(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	s := r.service("web", 1)
	stop := func(arn *string, how string) error {
		in := &shape.StopServiceDeploymentRequest{ServiceDeploymentArn: arn}
		if how != "" {
			in.StopType = &how
		}
		_, err := do(r, shape.OpStopServiceDeployment, r.api.StopServiceDeployment, in)
		return err
	}
	refused(t, stop(s.CurrentServiceDeployment, "ROLLBACK"), shape.CodeConflictException, "no earlier deployment of the service was completed")
	r.complete("web")
	refused(t, stop(s.CurrentServiceDeployment, "ROLLBACK"), shape.CodeConflictException, "its status is SUCCESSFUL")
	for how, want := range map[string]string{"": "ROLLBACK_REQUESTED", "ROLLBACK": "ROLLBACK_REQUESTED", "ABORT": "STOP_REQUESTED"} {
		s = *must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), ForceNewDeployment: aws.Ptr(true)}).Service
		for range 2 { // a second call changes nothing
			if err := stop(s.CurrentServiceDeployment, how); err != nil {
				t.Errorf("%s: %v", how, err)
			}
			if d := r.deployment(s.CurrentServiceDeployment); *d.Status != want {
				t.Errorf("%s: %s", how, *d.Status)
			}
		}
	}
	refused(t, stop(aws.Ptr(us.ServiceDeploymentARN("default", "web", "none")), ""), shape.CodeServiceDeploymentNotFoundException, "not found")
	refused(t, stop(aws.Ptr("web"), ""), shape.CodeInvalidParameterException, "is not an ARN")
}

func TestHistoryOfWhatIsNotThere(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	_, err := do(r, shape.OpListServiceDeployments, r.api.ListServiceDeployments, &shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web")})
	refused(t, err, shape.CodeServiceNotFoundException, "Service not found.")
	_, err = do(r, shape.OpListServiceDeployments, r.api.ListServiceDeployments, &shape.ListServiceDeploymentsRequest{Service: aws.Ptr("web"), Cluster: aws.Ptr("none")})
	refused(t, err, shape.CodeClusterNotFoundException, "Cluster not found.")
	gone := us.ServiceDeploymentARN("default", "web", "x")
	out := must(r, shape.OpDescribeServiceDeployments, r.api.DescribeServiceDeployments, &shape.DescribeServiceDeploymentsRequest{ServiceDeploymentArns: []string{gone}})
	if len(out.Failures) != 1 || *out.Failures[0].Reason != "MISSING" || *out.Failures[0].Arn != gone {
		t.Errorf("%+v", out)
	}
	rev := must(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions,
		&shape.DescribeServiceRevisionsRequest{ServiceRevisionArns: []string{us.ServiceRevisionARN("default", "web", "ecs-svc/1")}})
	if len(rev.Failures) != 1 || *rev.Failures[0].Reason != "MISSING" {
		t.Errorf("%+v", rev)
	}
	_, err = do(r, shape.OpDescribeServiceDeployments, r.api.DescribeServiceDeployments, &shape.DescribeServiceDeploymentsRequest{})
	refused(t, err, shape.CodeInvalidParameterException, "between 1 and 20")
	_, err = do(r, shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions, &shape.DescribeServiceRevisionsRequest{ServiceRevisionArns: []string{us.ClusterARN("c")}})
	refused(t, err, shape.CodeInvalidParameterException, "is the ARN of a cluster")
}

// After a rollback the service is what it went back to; what is asked for then is relative to that.
func TestUpdatesAfterARollback(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 1)
	r.complete("web")
	r.definition("web", 64, 64)
	failed := *must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: aws.Ptr("web:2")}).Service
	r.update(func(tx store.Tx) {
		st, _ := tables.ServiceStatuses.Get(tx, tables.MemberKey(us, "default", "web"))
		next := *st
		next.Rollback = &ecs.ServiceRollback{From: *failed.Deployments[0].Id, To: *st.Completed, At: tx.Now()}
		tables.ServiceStatuses.Put(tx, &next)
	})
	if s := r.described("web"); *s.TaskDefinition != us.TaskDefinitionARN("web", 1) || *s.Deployments[0].TaskDefinition != *s.TaskDefinition || *s.Deployments[0].Status != "PRIMARY" {
		t.Errorf("%s, deployments %+v", *s.TaskDefinition, s.Deployments)
	}
	scaled := must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), DesiredCount: aws.Ptr(int32(2))}).Service
	if *scaled.TaskDefinition != us.TaskDefinitionARN("web", 1) {
		t.Errorf("scaling targets %s", *scaled.TaskDefinition)
	}
	for i, c := range []struct {
		in   shape.UpdateServiceRequest
		want int32
	}{{shape.UpdateServiceRequest{ForceNewDeployment: aws.Ptr(true)}, 1}, {shape.UpdateServiceRequest{TaskDefinition: aws.Ptr("web:2")}, 2}} {
		c.in.Service = aws.Ptr("web")
		s := must(r, shape.OpUpdateService, r.api.UpdateService, &c.in).Service
		if *s.TaskDefinition != us.TaskDefinitionARN("web", c.want) || *s.Deployments[0].Id == *failed.Deployments[0].Id {
			t.Errorf("%d: %s", i, fmt.Sprint(*s.TaskDefinition, *s.Deployments[0].Id))
		}
	}
}

// A definition that a service runs, or may go back to, is in use, though the service wants another.
func TestADefinitionToGoBackToIsInUse(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 64, 64)
	r.service("web", 1)
	r.complete("web")
	r.definition("web", 64, 64)
	must(r, shape.OpUpdateService, r.api.UpdateService, &shape.UpdateServiceRequest{Service: aws.Ptr("web"), TaskDefinition: aws.Ptr("web:2")})
	in := func() bool {
		used := false
		r.update(func(tx store.Tx) {
			d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(us, "web", 1))
			used = tables.RevisionInUse(tx, d)
		})
		return used
	}
	if !in() {
		t.Error("it is not in use")
	}
	r.complete("web")
	if in() {
		t.Error("it stays in use")
	}
}
