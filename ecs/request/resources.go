package request

import (
	"reflect"
	"strings"

	"github.com/berth-ecs/berth/ecs"
)

// subject is a member of a request that names what the operation acts on.
type subject struct {
	member string // or that of a list's elements: "list.member"
	kind   string // of ARN; "" for a member that holds ARNs
}

// subjects are the resources that IAM knows of each operation, as in the service
// authorization reference. Operations that are not here act on "*".
var subjects = map[string]subject{
	"DescribeClusters": {"clusters", "cluster"}, "UpdateCluster": {"cluster", "cluster"},
	"PutClusterCapacityProviders": {"cluster", "cluster"}, "UpdateContainerAgent": {"containerInstance", "container-instance"},
	"UpdateClusterSettings": {"cluster", "cluster"}, "DeleteCluster": {"cluster", "cluster"},

	"RegisterContainerInstance": {"cluster", "cluster"}, "DeregisterContainerInstance": {"cluster", "cluster"},
	"ListContainerInstances": {"cluster", "cluster"}, "DescribeContainerInstances": {"containerInstances", "container-instance"},
	"UpdateContainerInstancesState": {"containerInstances", "container-instance"},

	"RunTask": {"taskDefinition", "task-definition"}, "StartTask": {"taskDefinition", "task-definition"},
	"StopTask": {"task", "task"}, "DescribeTasks": {"tasks", "task"},
	"SubmitTaskStateChange": {"cluster", "cluster"}, "SubmitContainerStateChange": {"cluster", "cluster"},
	"SubmitAttachmentStateChanges": {"cluster", "cluster"},

	"CreateService": {"serviceName", "service"}, "UpdateService": {"service", "service"},
	"DeleteService": {"service", "service"}, "DescribeServices": {"services", "service"},

	"ListServiceDeployments": {"service", "service"}, "DescribeServiceDeployments": {"serviceDeploymentArns", ""},
	"StopServiceDeployment": {"serviceDeploymentArn", ""}, "DescribeServiceRevisions": {"serviceRevisionArns", ""},

	"DeleteTaskDefinitions": {"taskDefinitions", "task-definition"},

	"GetTaskProtection": {"tasks", "task"}, "UpdateTaskProtection": {"tasks", "task"},
	"ListAttributes": {"cluster", "cluster"}, "PutAttributes": {"attributes.targetId", "container-instance"},
	"DeleteAttributes": {"attributes.targetId", "container-instance"},

	"TagResource": {"resourceArn", ""}, "UntagResource": {"resourceArn", ""}, "ListTagsForResource": {"resourceArn", ""},
}

// Resources are the ARNs that an operation acts on, as far as its request says:
// nothing for operations without resources, and for references that are not valid,
// which the operation itself refuses.
func Resources(h ecs.Home, operation string, in any) []string {
	s, ok := subjects[operation]
	if !ok {
		return nil
	}
	v := reflect.ValueOf(in).Elem()
	cluster, err := ClusterName(h, stringAt(v, "cluster"))
	if err != nil {
		return nil
	}
	var arns []string
	for _, ref := range stringsAt(v, s.member) {
		if arn := arnOf(h, cluster, s.kind, ref); arn != "" {
			arns = append(arns, arn)
		}
	}
	if len(arns) == 0 && s.kind == "cluster" {
		arns = []string{h.ClusterARN(cluster)}
	}
	return arns
}

// arnOf is the ARN of a reference.
func arnOf(h ecs.Home, cluster, kind, ref string) string {
	switch {
	case strings.HasPrefix(ref, "arn:"):
		return ref
	case ref == "" || strings.Contains(ref, "/"):
		return ""
	}
	switch kind {
	case "cluster":
		return h.ClusterARN(ref)
	case "container-instance":
		return h.InstanceARN(cluster, ref)
	case "task":
		return h.TaskARN(cluster, ref)
	case "service":
		return h.ServiceARN(cluster, ref)
	case "task-definition":
		r, err := ParseRevision(h, ref)
		if err == nil && r.Number > 0 {
			return h.TaskDefinitionARN(r.Family, r.Number)
		}
		return "arn:" + ecs.Partition + ":ecs:" + h.Region + ":" + h.Account + ":task-definition/" + ref + ":*"
	}
	return ""
}

func stringAt(v reflect.Value, name string) *string {
	f := v.FieldByName(member(name))
	if !f.IsValid() {
		return nil
	}
	s, _ := reflect.TypeAssert[*string](f)
	return s
}

func stringsAt(v reflect.Value, name string) (all []string) {
	if list, inner, nested := strings.Cut(name, "."); nested {
		f := v.FieldByName(member(list))
		for i := range f.Len() {
			all = append(all, stringsAt(f.Index(i), inner)...)
		}
		return all
	}
	if s := stringAt(v, name); s != nil {
		return []string{*s}
	}
	f := v.FieldByName(member(name))
	if !f.IsValid() {
		return nil
	}
	all, _ = reflect.TypeAssert[[]string](f)
	return all
}
