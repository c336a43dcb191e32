package main

import (
	"context"
	"fmt"
)

// The clusters: one that is read, one that tasks run in.
const (
	crowd  = "crowd"
	field  = "field"
	family = "web"

	instances = 10  // of each cluster
	crowdSize = 100 // tasks
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

// populate runs the tasks that are read.
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
	return nil
}
