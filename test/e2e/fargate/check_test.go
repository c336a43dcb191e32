package fargate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	cloudmap "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/berth-ecs/berth/test/installation"
)

// The server checks a task's public address: the port that the group lets in is healthy, the other is not.
func checkedByTheServer(w *world) {
	t := w.running(w.begin(w.subnet, types.AssignPublicIpEnabled))
	c := w.berth.Discovery()
	made, err := c.CreateHttpNamespace(w.Context(), &servicediscovery.CreateHttpNamespaceInput{Name: aws.String("checked")})
	if err != nil {
		w.Fatal(err)
	}
	s, err := c.CreateService(w.Context(), &servicediscovery.CreateServiceInput{
		Name: aws.String("peer"), NamespaceId: aws.String(w.done(c, made.OperationId)["NAMESPACE"]),
		HealthCheckConfig: &cloudmap.HealthCheckConfig{Type: cloudmap.HealthCheckTypeHttp, FailureThreshold: aws.Int32(1)},
	})
	if err != nil {
		w.Fatal(err)
	}
	for id, port := range map[string]string{"in": "80", "out": "81"} {
		r, err := c.RegisterInstance(w.Context(), &servicediscovery.RegisterInstanceInput{ServiceId: s.Service.Id, InstanceId: &id,
			Attributes: map[string]string{"AWS_INSTANCE_IPV4": t.public, "AWS_INSTANCE_PORT": port}})
		if err != nil {
			w.Fatal(err)
		}
		w.done(c, r.OperationId)
	}
	installation.Eventually(w, "both checked", func(ctx context.Context) error {
		out, err := c.GetInstancesHealthStatus(ctx, &servicediscovery.GetInstancesHealthStatusInput{ServiceId: s.Service.Id})
		if err != nil {
			return err
		}
		page, err := get(&web, w.berth.Endpoint+"/_berth/metrics")
		if err != nil {
			return err
		}
		if out.Status["out"] != cloudmap.HealthStatusUnhealthy || out.Status["in"] != cloudmap.HealthStatusHealthy || !strings.Contains(page, `berth_cloudmap_checks_total{result="passed"}`) {
			return fmt.Errorf("%v", out.Status)
		}
		return nil
	})
	_, err = c.RegisterInstance(w.Context(), &servicediscovery.RegisterInstanceInput{ServiceId: s.Service.Id, InstanceId: aws.String("private"),
		Attributes: map[string]string{"AWS_INSTANCE_IPV4": t.private, "AWS_INSTANCE_PORT": "80"}})
	if refused := (*cloudmap.InvalidInput)(nil); !errors.As(err, &refused) {
		w.Errorf("a private address is to be checked: %v", err)
	}
	w.stop(t.TaskArn)
}

// done waits for the success of an operation and answers what it was about.
func (w *world) done(c *servicediscovery.Client, id *string) (targets map[string]string) {
	w.Helper()
	installation.Eventually(w, "an operation's end", func(ctx context.Context) error {
		out, err := c.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: id})
		if err != nil {
			return err
		}
		if targets = out.Operation.Targets; out.Operation.Status != cloudmap.OperationStatusSuccess {
			return fmt.Errorf("is %s: %s", out.Operation.Status, aws.ToString(out.Operation.ErrorMessage))
		}
		return nil
	})
	return targets
}
