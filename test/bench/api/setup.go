package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// The clusters: one that is read, one that tasks run in.
const (
	crowd  = "crowd"
	field  = "field"
	family = "web"

	instances = 10  // of each cluster
	crowdSize = 100 // tasks

	mesh = "mesh" // the namespace whose service is discovered
)

// setUp makes clusters and a definition and, when identities are given, registers instances with them.
func (s *server) setUp(ctx context.Context, identities []string) error {
	for _, cluster := range []string{crowd, field} {
		if err := s.ask(ctx, "CreateCluster", map[string]any{"clusterName": cluster}, nil); err != nil {
			return err
		}
		for _, id := range identities {
			in := map[string]any{"cluster": cluster, "instanceIdentityDocument": fmt.Sprintf(`{"instanceId":%q}`, id)}
			if err := s.ask(ctx, "RegisterContainerInstance", in, nil); err != nil {
				return err
			}
		}
	}
	return s.ask(ctx, "RegisterTaskDefinition", map[string]any{"family": family, "containerDefinitions": []any{map[string]any{
		"name": "app", "image": "example.com/web:1", "memory": 6, "essential": true,
		"environment":  []any{map[string]any{"name": "A", "value": "1"}},
		"portMappings": []any{map[string]any{"containerPort": 80, "protocol": "tcp"}},
	}}}, nil)
}

// populate runs the tasks that are read, and registers instances.
func (s *server) populate(ctx context.Context) error {
	for range crowdSize / 10 {
		var out struct {
			Tasks    []struct{ TaskArn string }
			Failures []any
		}
		in := map[string]any{"cluster": crowd, "taskDefinition": family, "count": 10, "launchType": "EC2"}
		if err := s.ask(ctx, "RunTask", in, &out); err != nil {
			return err
		}
		if len(out.Tasks) != 10 {
			return fmt.Errorf("%s: RunTask: %+v", s.name, out.Failures)
		}
		for _, t := range out.Tasks {
			s.tasks = append(s.tasks, t.TaskArn)
		}
	}
	return s.discoverable(ctx)
}

// discoverable makes a namespace and a service with instances. Each is awaited: moto's operations have ended at once.
func (s *server) discoverable(ctx context.Context) error {
	var n struct{ OperationId string }
	if err := s.askOf(ctx, "servicediscovery", "CreateHttpNamespace", map[string]any{"Name": mesh, "CreatorRequestId": mesh}, &n); err != nil {
		return err
	}
	targets, err := s.ended(ctx, n.OperationId)
	if err != nil {
		return err
	}
	var v struct{ Service struct{ Id string } }
	in := map[string]any{"Name": family, "NamespaceId": targets["NAMESPACE"], "HealthCheckCustomConfig": map[string]any{}, "CreatorRequestId": family}
	if err := s.askOf(ctx, "servicediscovery", "CreateService", in, &v); err != nil {
		return err
	}
	for i := range instances {
		in := map[string]any{"ServiceId": v.Service.Id, "InstanceId": fmt.Sprintf("instance-%d", i), "CreatorRequestId": strconv.Itoa(i), "Attributes": map[string]string{
			"AWS_INSTANCE_IPV4": fmt.Sprintf("10.0.0.%d", i), "AWS_INSTANCE_PORT": "8080", "ECS_CLUSTER_NAME": crowd, "ECS_SERVICE_NAME": family}}
		if err := s.askOf(ctx, "servicediscovery", "RegisterInstance", in, &n); err != nil {
			return err
		}
		if _, err := s.ended(ctx, n.OperationId); err != nil {
			return err
		}
	}
	return nil
}

// ended waits until an operation of Cloud Map has succeeded and answers what it was about.
func (s *server) ended(ctx context.Context, id string) (map[string]string, error) {
	for {
		var out struct {
			Operation struct {
				Status, ErrorMessage string
				Targets              map[string]string
			}
		}
		if err := s.askOf(ctx, "servicediscovery", "GetOperation", map[string]any{"OperationId": id}, &out); err != nil {
			return nil, err
		}
		switch out.Operation.Status {
		case "SUCCESS":
			return out.Operation.Targets, nil
		case "FAIL":
			return nil, fmt.Errorf("%s: an operation failed: %s", s.name, out.Operation.ErrorMessage)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
