package clients

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// The commands of the tests' containers.
const (
	sleeps  = "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"
	crashes = "exit 3"
)

// revision registers a revision of a family that runs a command.
func revision(t *testing.T, family, command string) string {
	t.Helper()
	out, err := region.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(busyboxImage), Memory: aws.Int32(32), EntryPoint: []string{"sh", "-c"}, Command: []string{command},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TaskDefinition.TaskDefinitionArn
}

// must answers what a call did, or ends the test.
func must[Out any](t *testing.T) func(out *Out, err error) *Out {
	t.Helper()
	return func(out *Out, err error) *Out {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// clear deletes a service that a test may have left.
func clearService(t *testing.T, name string) {
	t.Helper()
	t.Cleanup(func() {
		_, _ = region.ECS.DeleteService(context.WithoutCancel(t.Context()), &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)})
	})
}

func describe(t *testing.T, name string) types.Service {
	t.Helper()
	out := must[ecs.DescribeServicesOutput](t)(region.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Services: []string{name}, Include: []types.ServiceField{types.ServiceFieldTags}}))
	if len(out.Services) != 1 {
		t.Fatalf("service %s: %+v", name, out.Failures)
	}
	return out.Services[0]
}

func primary(s types.Service) types.Deployment {
	for _, d := range s.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			return d
		}
	}
	return types.Deployment{}
}

// finishes waits until a service deployment is in one of the states that end it.
func finishes(t *testing.T, arn string) types.ServiceDeployment {
	t.Helper()
	var last types.ServiceDeployment
	installation.Eventually(t, "service deployment "+arn, func(ctx context.Context) error {
		out, err := region.ECS.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
		if err != nil {
			return err
		}
		if len(out.ServiceDeployments) != 1 {
			return fmt.Errorf("failures %+v", out.Failures)
		}
		last = out.ServiceDeployments[0]
		switch last.Status {
		case types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped,
			types.ServiceDeploymentStatusRollbackFailed, types.ServiceDeploymentStatusRollbackSuccessful:
			return nil
		case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress, types.ServiceDeploymentStatusStopRequested,
			types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
		}
		return errors.New("is " + string(last.Status))
	})
	return last
}

func saw(s types.Service, sentence string) bool {
	for _, e := range s.Events {
		if strings.Contains(aws.ToString(e.Message), sentence) {
			return true
		}
	}
	return false
}
