package request

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var us = ecs.Home{Account: "000000000000", Region: "us-east-1"}

func TestResources(t *testing.T) {
	task := us.TaskARN("blue", "t")
	for _, c := range []struct {
		operation string
		in        any
		want      []string
	}{
		{"DeleteCluster", &shape.DeleteClusterRequest{Cluster: aws.Ptr("blue")}, []string{us.ClusterARN("blue")}},
		{"DescribeClusters", &shape.DescribeClustersRequest{}, []string{us.ClusterARN("default")}},
		{"DescribeTasks", &shape.DescribeTasksRequest{Cluster: aws.Ptr("blue"), Tasks: []string{"t", task}}, []string{task, task}},
		{"UpdateService", &shape.UpdateServiceRequest{Service: aws.Ptr("web")}, []string{us.ServiceARN("default", "web")}},
		{"RunTask", &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web:3")}, []string{us.TaskDefinitionARN("web", 3)}},
		{"RunTask", &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web")}, []string{"arn:aws:ecs:us-east-1:000000000000:task-definition/web:*"}},
		{"TagResource", &shape.TagResourceRequest{ResourceArn: &task}, []string{task}},
		{"StopTask", &shape.StopTaskRequest{Cluster: aws.Ptr("a b"), Task: aws.Ptr("t")}, nil},
		{"ListClusters", &shape.ListClustersRequest{}, nil},
		{"PutAttributes", &shape.PutAttributesRequest{Attributes: []shape.Attribute{{TargetId: aws.Ptr("i")}, {TargetId: aws.Ptr(us.InstanceARN("c", "j"))}, {}}},
			[]string{us.InstanceARN("default", "i"), us.InstanceARN("c", "j")}},
		{"UpdateTaskProtection", &shape.UpdateTaskProtectionRequest{Cluster: aws.Ptr("blue"), Tasks: []string{"t"}}, []string{task}},
	} {
		if d := cmp.Diff(c.want, Resources(us, c.operation, c.in)); d != "" {
			t.Errorf("%s:\n%s", c.operation, d)
		}
	}
}

func TestSubjectsAreOperations(t *testing.T) {
	for name := range subjects {
		if _, ok := shape.Model.Operation(name); !ok {
			t.Errorf("%s is not an operation", name)
		}
	}
}
