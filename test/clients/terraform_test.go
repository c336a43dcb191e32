package clients

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// steadyState is what Terraform does for wait_for_steady_state: it finds the PRIMARY deployment, which must be newer than its call, and
// the service deployment whose target revision has the digits of its id; then it waits for that to end.
func steadyState(t *testing.T, name string, called time.Time) types.ServiceDeployment {
	t.Helper()
	s := describe(t, name)
	d := primary(s)
	if s.DeploymentController == nil || s.DeploymentController.Type != types.DeploymentControllerTypeEcs {
		t.Fatalf("deploymentController %+v: Terraform would not use the deployments", s.DeploymentController)
	}
	if !d.CreatedAt.After(called) {
		t.Fatalf("the primary deployment is of %v, not after %v: Terraform would take it for an old one", d.CreatedAt, called)
	}
	_, digits, _ := strings.Cut(aws.ToString(d.Id), "/")
	arn := ""
	installation.Eventually(t, "the service deployment of "+aws.ToString(d.Id), func(ctx context.Context) error {
		out, err := region.ECS.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
			Cluster: s.ClusterArn, Service: aws.String(name), CreatedAt: &types.CreatedAt{After: &called},
		})
		if err != nil {
			return err
		}
		for _, b := range out.ServiceDeployments {
			if strings.Contains(aws.ToString(b.TargetServiceRevisionArn), digits) {
				arn = aws.ToString(b.ServiceDeploymentArn)
				return nil
			}
		}
		return fmt.Errorf("not among %+v", out.ServiceDeployments)
	})
	return finishes(t, arn)
}

// now is a client's clock before a call, to the millisecond that times on the wire have.
func now() time.Time { return time.Now().Truncate(time.Millisecond).Add(-time.Millisecond) }

// The life of an aws_ecs_service with wait_for_steady_state and a circuit breaker.
func TestTerraformService(t *testing.T) {
	t.Parallel()
	const name = "terraform"
	good := revision(t, name, sleeps)
	clearService(t, name)

	called := now()
	must[ecs.CreateServiceOutput](t)(region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{
		ClientToken: aws.String("terraform-20260102030405678900000001"), ServiceName: aws.String(name), TaskDefinition: &good, DesiredCount: aws.Int32(1),
		DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}, SchedulingStrategy: types.SchedulingStrategyReplica,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(100),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
		HealthCheckGracePeriodSeconds: aws.Int32(5),
		PlacementStrategy:             []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("MEMORY")}},
		PropagateTags:                 types.PropagateTagsService, EnableECSManagedTags: true,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}))
	if d := steadyState(t, name, called); d.Status != types.ServiceDeploymentStatusSuccessful {
		t.Fatalf("the first deployment is %s: %s", d.Status, aws.ToString(d.StatusReason))
	}
	s := describe(t, name)
	if c := s.DeploymentConfiguration.DeploymentCircuitBreaker; !c.Enable || !c.Rollback || aws.ToInt32(s.HealthCheckGracePeriodSeconds) != 5 {
		t.Errorf("read back %+v, grace period %v", c, s.HealthCheckGracePeriodSeconds)
	}
	replaceAndBreak(t, name, good)
	clearAndDelete(t, name)
}

// replaceAndBreak deploys a revision that works, and one that does not: Terraform shows the reason of the rollback as its error.
func replaceAndBreak(t *testing.T, name, first string) {
	t.Helper()
	second := revision(t, name, sleeps)
	called := now()
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &second}))
	d := steadyState(t, name, called)
	if d.Status != types.ServiceDeploymentStatusSuccessful || len(d.SourceServiceRevisions) != 1 || d.LifecycleStage != "" {
		t.Fatalf("%s from %+v, stage %q", d.Status, d.SourceServiceRevisions, d.LifecycleStage)
	}
	source := must[ecs.DescribeServiceRevisionsOutput](t)(region.ECS.DescribeServiceRevisions(t.Context(),
		&ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*d.SourceServiceRevisions[0].Arn}})).ServiceRevisions[0]
	if aws.ToString(source.TaskDefinition) != first || len(source.ContainerImages) != 1 || aws.ToString(source.ContainerImages[0].ImageDigest) == "" {
		t.Errorf("it came from %+v", source)
	}

	bad := revision(t, name, crashes)
	called = now()
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &bad}))
	d = steadyState(t, name, called)
	good := describe(t, name)
	if d.Status != types.ServiceDeploymentStatusRollbackSuccessful || !strings.HasPrefix(aws.ToString(d.StatusReason), "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/") {
		t.Errorf("%s: %s; events %+v", d.Status, aws.ToString(d.StatusReason), good.Events)
	}
	if b := d.DeploymentCircuitBreaker; b.Status != types.ServiceDeploymentRollbackMonitorsStatusTriggered || b.FailureCount < b.Threshold || b.Threshold != 3 {
		t.Errorf("circuit breaker %+v", b)
	}
	if aws.ToString(good.TaskDefinition) != second || len(good.Deployments) != 1 || good.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted {
		t.Errorf("rolled back to %s, %+v", aws.ToString(good.TaskDefinition), good.Deployments)
	}
	if !saw(good, "deployment failed: tasks failed to start.") || !saw(good, "rolling back to deployment "+aws.ToString(good.Deployments[0].Id)+".") {
		t.Errorf("events %+v", good.Events)
	}
}

// clearAndDelete clears what empty objects clear, and deletes as the provider does.
func clearAndDelete(t *testing.T, name string) {
	t.Helper()
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Service: &name, PlacementStrategy: []types.PlacementStrategy{}, PlacementConstraints: []types.PlacementConstraint{},
		DeploymentConfiguration: &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{}},
	}))
	s := describe(t, name)
	if b := s.DeploymentConfiguration.DeploymentCircuitBreaker; b.Enable || len(s.PlacementStrategy) > 0 || aws.ToInt32(s.DeploymentConfiguration.MaximumPercent) != 200 {
		t.Errorf("not cleared: %+v, %+v", s.DeploymentConfiguration, s.PlacementStrategy)
	}
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(0)}))
	must[ecs.DeleteServiceOutput](t)(region.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: &name}))
	installation.Eventually(t, "INACTIVE", func(ctx context.Context) error {
		out, err := region.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}})
		if err != nil || len(out.Services) != 1 {
			return fmt.Errorf("%w, failures %+v", err, out.Failures)
		}
		if s := aws.ToString(out.Services[0].Status); s != "INACTIVE" {
			return errors.New("is " + s)
		}
		return nil
	})
}

// What an interrupted apply does with sigint_rollback: it stops the deployment and waits for the way back.
func TestTerraformInterrupted(t *testing.T) {
	t.Parallel()
	const name = "interrupted"
	good := revision(t, name, sleeps)
	clearService(t, name)
	called := now()
	must[ecs.CreateServiceOutput](t)(region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String(name), TaskDefinition: &good,
		DesiredCount: aws.Int32(1), DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}}))
	if d := steadyState(t, name, called); d.Status != types.ServiceDeploymentStatusSuccessful {
		t.Fatalf("%s", d.Status)
	}
	before := aws.ToString(describe(t, name).Deployments[0].Id)
	bad := revision(t, name, crashes)
	s := must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), TaskDefinition: &bad})).Service
	arn := s.CurrentServiceDeployment
	if arn == nil {
		t.Fatal("no currentServiceDeployment")
	}
	must[ecs.StopServiceDeploymentOutput](t)(region.ECS.StopServiceDeployment(t.Context(),
		&ecs.StopServiceDeploymentInput{ServiceDeploymentArn: arn, StopType: types.StopServiceDeploymentStopTypeRollback}))
	d := finishes(t, *arn)
	after := describe(t, name)
	if d.Status != types.ServiceDeploymentStatusRollbackSuccessful || d.Rollback == nil || aws.ToString(after.Deployments[0].Id) != before {
		t.Errorf("%s, %+v; deployment %s, was %s", d.Status, d.Rollback, aws.ToString(after.Deployments[0].Id), before)
	}
}

// An aws_ecs_service with the DAEMON strategy: no desired count, and no scaling to zero before it is deleted.
func TestTerraformDaemon(t *testing.T) {
	t.Parallel()
	const name = "daemon"
	good := revision(t, name, sleeps)
	clearService(t, name)
	called := now()
	must[ecs.CreateServiceOutput](t)(region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String(name), TaskDefinition: &good,
		SchedulingStrategy: types.SchedulingStrategyDaemon, DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}}))
	if d := steadyState(t, name, called); d.Status != types.ServiceDeploymentStatusSuccessful || d.TargetServiceRevision.RunningTaskCount != 1 {
		t.Fatalf("%s, %+v", d.Status, d.TargetServiceRevision)
	}
	if s := describe(t, name); s.DesiredCount != 1 || s.RunningCount != 1 || s.SchedulingStrategy != types.SchedulingStrategyDaemon {
		t.Errorf("desired %d, running %d, %s", s.DesiredCount, s.RunningCount, s.SchedulingStrategy)
	}
	second := revision(t, name, sleeps)
	called = now()
	must[ecs.UpdateServiceOutput](t)(region.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), TaskDefinition: &second}))
	if d := steadyState(t, name, called); d.Status != types.ServiceDeploymentStatusSuccessful {
		t.Fatalf("%s: %s", d.Status, aws.ToString(d.StatusReason))
	}
	if s := describe(t, name); aws.ToString(s.TaskDefinition) != second || s.RunningCount != 1 {
		t.Errorf("%s, running %d", aws.ToString(s.TaskDefinition), s.RunningCount)
	}
	must[ecs.DeleteServiceOutput](t)(region.ECS.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String(name)}))
	if err := ecs.NewServicesInactiveWaiter(region.ECS, quickly).Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{name}}, installation.Patience); err != nil {
		t.Error(err)
	}
}

func quickly(o *ecs.ServicesInactiveWaiterOptions) {
	o.MinDelay, o.MaxDelay = 50*time.Millisecond, 100*time.Millisecond
}
