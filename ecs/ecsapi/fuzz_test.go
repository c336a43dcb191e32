package ecsapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// them are the neighbours: nothing of theirs is ever answered to us.
var them = ecs.Home{Account: "111111111111", Region: "us-east-1"}

// A token's hash is no secret: whoever reads the code can make one for any key. All it can do is choose where a list begins: what comes is
// of the caller's own list, whatever key the token names.
func FuzzForgedToken(f *testing.F) {
	for _, key := range []string{"", "\x00", "\xff", tables.At(us).Prefix(), tables.At(them).Prefix(), tables.MemberKey(us, "other", "x"),
		tables.At(us).Prefix("default"), tables.RevisionKey(them, "web", 0), tables.ClusterKey(us, "default"), strings.Repeat("/", 300)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		r := newRegion(t)
		r.neighbours()
		for operation, list := range forgeable(r) {
			filter, call := list()
			sum := sha256.Sum256([]byte(filter + "\x00" + key))
			arns, err := call(aws.Ptr(base64.RawURLEncoding.EncodeToString(append(sum[:12], key...))))
			if _, ok := errors.AsType[*wire.Invalid](err); err != nil && (!ok || key != "") {
				t.Errorf("%s: %v", operation, err)
			}
			for _, arn := range arns {
				if !strings.Contains(arn, ":"+us.Account+":") || strings.Contains(arn, "/other/") {
					t.Errorf("%s from %q leads to %s", operation, key, arn)
				}
			}
		}
	})
}

// neighbours fills two clusters of ours and one of somebody else.
func (r *region) neighbours() {
	r.Helper()
	r.update(func(tx store.Tx) {
		for _, k := range []struct {
			home    ecs.Home
			cluster string
		}{{us, "default"}, {us, "other"}, {them, "default"}} {
			const id = "00000000000000000000000000000000"
			tables.Clusters.Put(tx, &ecs.Cluster{Home: k.home, Name: k.cluster, Status: ecs.ClusterActive})
			tables.Services.Put(tx, &ecs.Service{Home: k.home, Cluster: k.cluster, Name: "web"})
			tables.Tasks.Put(tx, &ecs.Task{Home: k.home, Cluster: k.cluster, ID: id, Family: "web", Revision: 1})
			tables.TaskDesireds.Put(tx, &ecs.TaskDesired{Home: k.home, Cluster: k.cluster, ID: id, Status: ecs.TaskRunning})
			tables.TaskStatuses.Put(tx, &ecs.TaskStatus{Home: k.home, Cluster: k.cluster, ID: id, LastStatus: ecs.TaskRunning})
			tables.TaskDefinitions.Put(tx, &ecs.TaskDefinition{Home: k.home, Family: "web", Revision: 1, Document: shape.TaskDefinition{Status: aws.Ptr("ACTIVE")}})
		}
	})
}

// forgeable are lists with tokens: the filter that a token must be made for, and the call.
func forgeable(r *region) map[string]func() (filter string, call func(token *string) ([]string, error)) {
	of := func(operation string, filters ...any) string {
		return wire.FilterHash(operation, us.Account, us.Region, filters)
	}
	return map[string]func() (string, func(*string) ([]string, error)){
		"ListClusters": func() (string, func(*string) ([]string, error)) {
			return of("ListClusters"), listed(r, shape.OpListClusters, r.api.ListClusters, func(token *string) *shape.ListClustersRequest {
				return &shape.ListClustersRequest{NextToken: token}
			}, func(out *shape.ListClustersResponse) []string { return out.ClusterArns })
		},
		"ListTasks": func() (string, func(*string) ([]string, error)) {
			return of("ListTasks", "default", taskFilter{Desired: ecs.TaskRunning}), listed(r, shape.OpListTasks, r.api.ListTasks, func(token *string) *shape.ListTasksRequest {
				return &shape.ListTasksRequest{NextToken: token}
			}, func(out *shape.ListTasksResponse) []string { return out.TaskArns })
		},
		"ListServices": func() (string, func(*string) ([]string, error)) {
			return of("ListServices", "default", dereferenced(nil, nil, nil)), listed(r, shape.OpListServices, r.api.ListServices, func(token *string) *shape.ListServicesRequest {
				return &shape.ListServicesRequest{NextToken: token}
			}, func(out *shape.ListServicesResponse) []string { return out.ServiceArns })
		},
		"ListTaskDefinitions": func() (string, func(*string) ([]string, error)) {
			return of("ListTaskDefinitions", tables.At(us).Prefix(), "ACTIVE", ""), listed(r, shape.OpListTaskDefinitions, r.api.ListTaskDefinitions, func(token *string) *shape.ListTaskDefinitionsRequest {
				return &shape.ListTaskDefinitionsRequest{NextToken: token}
			}, func(out *shape.ListTaskDefinitionsResponse) []string { return out.TaskDefinitionArns })
		},
	}
}

func listed[In, Out any](r *region, op aws.Operation[In, Out], h wire.Handler[In, Out], in func(*string) *In, arns func(*Out) []string) func(*string) ([]string, error) {
	return func(token *string) ([]string, error) {
		out, err := h(context.WithoutCancel(r.Context()), caller(op.Info.Name), in(token))
		if err != nil {
			return nil, err
		}
		return arns(out), nil
	}
}
