package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	cloudmap "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/berth-ecs/berth/test/installation"
)

// directory is a service of Cloud Map in a namespace of the test's own.
type directory struct {
	t          testing.TB
	client     *servicediscovery.Client
	namespace  string
	service    string
	arn        string
	registered []types.ServiceRegistry
}

const directoryService = "web"

// newDirectory makes a private namespace in the default VPC with a service whose names have records of a type. All goes after the test.
func newDirectory(t testing.TB, record cloudmap.RecordType) *directory {
	t.Helper()
	d := &directory{t: t, client: region.Discovery(), namespace: family(t) + ".test"}
	_, vpc := subnet(t)
	made, err := d.client.CreatePrivateDnsNamespace(t.Context(), &servicediscovery.CreatePrivateDnsNamespaceInput{Name: &d.namespace, Vpc: &vpc})
	if err != nil {
		t.Fatal(err)
	}
	id := d.done(made.OperationId)["NAMESPACE"]
	t.Cleanup(func() { d.eventually("delete the namespace", d.deleteNamespace(id)) })
	s, err := d.client.CreateService(t.Context(), &servicediscovery.CreateServiceInput{
		Name: aws.String(directoryService), NamespaceId: &id, HealthCheckCustomConfig: &cloudmap.HealthCheckCustomConfig{},
		DnsConfig: &cloudmap.DnsConfig{DnsRecords: []cloudmap.DnsRecord{{Type: record, TTL: aws.Int64(1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.service, d.arn = *s.Service.Id, *s.Service.Arn
	t.Cleanup(func() {
		d.eventually("delete the service of Cloud Map", func(ctx context.Context) error {
			_, err := d.client.DeleteService(ctx, &servicediscovery.DeleteServiceInput{Id: &d.service})
			return err
		})
	})
	d.registered = []types.ServiceRegistry{{RegistryArn: &d.arn}}
	return d
}

func (d *directory) deleteNamespace(id string) func(context.Context) error {
	return func(ctx context.Context) error {
		out, err := d.client.DeleteNamespace(ctx, &servicediscovery.DeleteNamespaceInput{Id: &id})
		if err != nil {
			return err
		}
		op, err := d.client.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: out.OperationId})
		if err == nil && op.Operation.Status == cloudmap.OperationStatusFail {
			err = errors.New(aws.ToString(op.Operation.ErrorMessage))
		}
		return err
	}
}

// eventually is for what goes only after others have: also when the test has ended.
func (d *directory) eventually(what string, cond func(ctx context.Context) error) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	err := cond(detached(d.t))
	for end := time.Now().Add(installation.Patience); err != nil && time.Now().Before(end); <-again.C {
		err = cond(detached(d.t))
	}
	if err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
}

// done waits for an operation of Cloud Map, and answers what it made.
func (d *directory) done(operation *string) map[string]string {
	d.t.Helper()
	var targets map[string]string
	installation.Eventually(d.t, "operation "+aws.ToString(operation), func(ctx context.Context) error {
		out, err := d.client.GetOperation(ctx, &servicediscovery.GetOperationInput{OperationId: operation})
		if err != nil {
			return err
		}
		if out.Operation.Status != cloudmap.OperationStatusSuccess {
			return fmt.Errorf("it is %s: %s", out.Operation.Status, aws.ToString(out.Operation.ErrorMessage))
		}
		targets = out.Operation.Targets
		return nil
	})
	return targets
}

// found are the attributes of the instances that are healthy now, by their ids.
func (d *directory) found(ctx context.Context) (map[string]map[string]string, error) {
	out, err := d.client.DiscoverInstances(ctx, &servicediscovery.DiscoverInstancesInput{
		NamespaceName: &d.namespace, ServiceName: aws.String(directoryService), HealthStatus: cloudmap.HealthStatusFilterHealthy, MaxResults: aws.Int32(100),
	})
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, i := range out.Instances {
		all[*i.InstanceId] = i.Attributes
	}
	return all, nil
}

// awaits waits until a URL answers to the task.
func (v vpcTask) awaits(t testing.TB, url, want string) {
	t.Helper()
	installation.Eventually(t, url+" answers", func(context.Context) error {
		got, err := v.fetchFrom(url)
		if err == nil && got != want {
			err = fmt.Errorf("it answers %q", got)
		}
		return err
	})
}

// awaitFound waits until exactly the tasks of a service that run are found.
func (d *directory) awaitFound(service string, n int) map[string]map[string]string {
	d.t.Helper()
	var found map[string]map[string]string
	installation.Eventually(d.t, fmt.Sprintf("%d tasks of %s are found", n, service), func(ctx context.Context) error {
		tasks, err := tasksOf(ctx, service)
		if err != nil {
			return err
		}
		if found, err = d.found(ctx); err != nil {
			return err
		}
		var run []string
		for _, t := range tasks {
			if aws.ToString(t.LastStatus) == "RUNNING" {
				run = append(run, id(*t.TaskArn))
			}
		}
		slices.Sort(run)
		if got := slices.Sorted(maps.Keys(found)); len(run) != n || !slices.Equal(got, run) {
			return fmt.Errorf("found %v, running %v", got, run)
		}
		return nil
	})
	return found
}
