package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	cloudmap "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// Where the tasks of some services are found.
const (
	namespace = "crash"
	directory = "tasks"
)

// foundIn are the services whose tasks are found: the witness, one that stops before it starts, and one with interfaces.
var foundIn = []string{witness, "s3", "s4"}

// makeDirectory makes the service of Cloud Map that tasks are found in.
func (w *world) makeDirectory(t *testing.T) {
	t.Helper()
	c := w.Discovery()
	made, err := c.CreateHttpNamespace(t.Context(), &servicediscovery.CreateHttpNamespaceInput{Name: aws.String(namespace)})
	if err != nil {
		t.Fatal(err)
	}
	installation.Eventually(t, "the namespace", func(ctx context.Context) error {
		out, err := c.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: made.OperationId})
		if err != nil {
			return err
		}
		if out.Operation.Status != cloudmap.OperationStatusSuccess {
			return fmt.Errorf("its making is %s", out.Operation.Status)
		}
		s, err := c.CreateService(ctx, &servicediscovery.CreateServiceInput{
			Name: aws.String(directory), NamespaceId: aws.String(out.Operation.Targets["NAMESPACE"]), HealthCheckCustomConfig: &cloudmap.HealthCheckCustomConfig{},
		})
		if err == nil {
			w.directory = *s.Service.Arn
		}
		return err
	})
}

// registries are those of a service of the load.
func (w *world) registries(service string) []types.ServiceRegistry {
	if !slices.Contains(foundIn, service) {
		return nil
	}
	r := types.ServiceRegistry{RegistryArn: aws.String(w.directory)}
	if service != "s4" { // at the machine's address, and a port
		r.ContainerName, r.ContainerPort = aws.String("main"), aws.Int32(80)
	}
	return []types.ServiceRegistry{r}
}

// found: Cloud Map knows every live task of the services that are found, healthy, and no other.
func (w *world) found(ctx context.Context, live []types.Task) error {
	out, err := w.Discovery().DiscoverInstances(ctx, &servicediscovery.DiscoverInstancesInput{
		NamespaceName: aws.String(namespace), ServiceName: aws.String(directory), HealthStatus: cloudmap.HealthStatusFilterAll, MaxResults: aws.Int32(1000),
	})
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, t := range live {
		if name, _ := strings.CutPrefix(aws.ToString(t.Group), "service:"); slices.Contains(foundIn, name) {
			wanted[rounds.ShortID(aws.ToString(t.TaskArn))] = true
		}
	}
	var errs []error
	for _, i := range out.Instances {
		id := aws.ToString(i.InstanceId)
		if !wanted[id] || i.HealthStatus != cloudmap.HealthStatusHealthy {
			errs = append(errs, fmt.Errorf("instance %s of Cloud Map is %s, and does not run: %v", id, i.HealthStatus, i.Attributes))
		}
		delete(wanted, id)
	}
	for id := range wanted {
		errs = append(errs, fmt.Errorf("task %s runs and Cloud Map does not know it", id))
	}
	return errors.Join(errs...)
}
