package ecsapi

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// operation calls one operation with an arbitrary input.
type operation struct {
	name string
	call func(*rapid.T, *region) error
}

func anyInput[In, Out any](op aws.Operation[In, Out], h wire.Handler[In, Out]) operation {
	return operation{op.Info.Name, func(t *rapid.T, r *region) error {
		in := new(In)
		draw(t, reflect.ValueOf(in).Elem(), 0)
		_, err := do(r, op, h, in)
		return err
	}}
}

func operations(r *region) []operation {
	return []operation{
		anyInput(shape.OpCreateCluster, r.api.CreateCluster),
		anyInput(shape.OpDescribeClusters, r.api.DescribeClusters),
		anyInput(shape.OpListClusters, r.api.ListClusters),
		anyInput(shape.OpUpdateCluster, r.api.UpdateCluster),
		anyInput(shape.OpUpdateClusterSettings, r.api.UpdateClusterSettings),
		anyInput(shape.OpDeleteCluster, r.api.DeleteCluster),
		anyInput(shape.OpRegisterTaskDefinition, r.api.RegisterTaskDefinition),
		anyInput(shape.OpDescribeTaskDefinition, r.api.DescribeTaskDefinition),
		anyInput(shape.OpListTaskDefinitions, r.api.ListTaskDefinitions),
		anyInput(shape.OpListTaskDefinitionFamilies, r.api.ListTaskDefinitionFamilies),
		anyInput(shape.OpDeregisterTaskDefinition, r.api.DeregisterTaskDefinition),
		anyInput(shape.OpDeleteTaskDefinitions, r.api.DeleteTaskDefinitions),
		anyInput(shape.OpRegisterContainerInstance, r.api.RegisterContainerInstance),
		anyInput(shape.OpDeregisterContainerInstance, r.api.DeregisterContainerInstance),
		anyInput(shape.OpDescribeContainerInstances, r.api.DescribeContainerInstances),
		anyInput(shape.OpListContainerInstances, r.api.ListContainerInstances),
		anyInput(shape.OpUpdateContainerInstancesState, r.api.UpdateContainerInstancesState),
		anyInput(shape.OpDiscoverPollEndpoint, r.api.DiscoverPollEndpoint),
		anyInput(shape.OpRunTask, r.api.RunTask),
		anyInput(shape.OpStartTask, r.api.StartTask),
		anyInput(shape.OpStopTask, r.api.StopTask),
		anyInput(shape.OpDescribeTasks, r.api.DescribeTasks),
		anyInput(shape.OpListTasks, r.api.ListTasks),
		anyInput(shape.OpSubmitTaskStateChange, r.api.SubmitTaskStateChange),
		anyInput(shape.OpSubmitContainerStateChange, r.api.SubmitContainerStateChange),
		anyInput(shape.OpSubmitAttachmentStateChanges, r.api.SubmitAttachmentStateChanges),
		anyInput(shape.OpCreateService, r.api.CreateService),
		anyInput(shape.OpUpdateService, r.api.UpdateService),
		anyInput(shape.OpDeleteService, r.api.DeleteService),
		anyInput(shape.OpDescribeServices, r.api.DescribeServices),
		anyInput(shape.OpListServices, r.api.ListServices),
		anyInput(shape.OpListServiceDeployments, r.api.ListServiceDeployments),
		anyInput(shape.OpDescribeServiceDeployments, r.api.DescribeServiceDeployments),
		anyInput(shape.OpStopServiceDeployment, r.api.StopServiceDeployment),
		anyInput(shape.OpDescribeServiceRevisions, r.api.DescribeServiceRevisions),
		anyInput(shape.OpTagResource, r.api.TagResource),
		anyInput(shape.OpUntagResource, r.api.UntagResource),
		anyInput(shape.OpListTagsForResource, r.api.ListTagsForResource),
		anyInput(shape.OpGetTaskProtection, r.api.GetTaskProtection),
		anyInput(shape.OpUpdateTaskProtection, r.api.UpdateTaskProtection),
		anyInput(shape.OpPutClusterCapacityProviders, r.api.PutClusterCapacityProviders),
		anyInput(shape.OpDescribeCapacityProviders, r.api.DescribeCapacityProviders),
		anyInput(shape.OpUpdateContainerAgent, r.api.UpdateContainerAgent),
		anyInput(shape.OpPutAttributes, r.api.PutAttributes),
		anyInput(shape.OpDeleteAttributes, r.api.DeleteAttributes),
		anyInput(shape.OpListAttributes, r.api.ListAttributes),
		anyInput(shape.OpPutAccountSetting, r.api.PutAccountSetting),
		anyInput(shape.OpPutAccountSettingDefault, r.api.PutAccountSettingDefault),
		anyInput(shape.OpDeleteAccountSetting, r.api.DeleteAccountSetting),
		anyInput(shape.OpListAccountSettings, r.api.ListAccountSettings),
	}
}

// words are strings that name something, nearly do, or must never become a key.
var words = []string{
	"", "default", "web", "web:1", "web:0", "web:-1", "web:99999999999", "a/b", "/", ":", "arn:", "arn:aws:ecs",
	us.ClusterARN("default"), us.ClusterARN(""), us.ServiceARN("default", "web"), us.ServiceARN("", ""), us.TaskARN("default", "0"),
	us.TaskDefinitionARN("web", 1), us.TaskDefinitionARN("", 0), us.InstanceARN("other", "i"), "arn:aws:ecs:eu-west-1:1:cluster/x",
	"00000000000000000000000000000000", "ACTIVE", "RUNNING", "STOPPED", "REPLICA", "EC2", "NONE", "containerInsights", "enabled",
	"memberOf", "spread", "binpack", "cpu", "attribute:rack == r1", "TAGS", "app", "CPU", "PORTS", "aws:x", "\x00", "日本", "{}",
}

// likely are words for members that decide how far a request comes.
var likely = map[string][]string{
	"Cluster": {"default"}, "TaskDefinition": {"web"}, "Service": {"web"}, "ServiceName": {"web", "new"}, "Family": {"web", "new"},
	"Image": {"web:1"}, "Name": {"app", "CPU", "containerInsights"}, "Key": {"a", "b"}, "LaunchType": {"EC2"}, "Status": {"ACTIVE", "RUNNING"},
}

// draw fills a value: mostly absent or small.
func draw(t *rapid.T, v reflect.Value, depth int) {
	const deepest = 5
	if depth > deepest || v.Type() == reflect.TypeFor[aws.Document]() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if rapid.IntRange(0, 7).Draw(t, "present") == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if some := likely[f.Name]; some != nil && f.Type == reflect.TypeFor[*string]() && rapid.IntRange(0, 4).Draw(t, "likely") > 0 {
				v.Field(i).Set(reflect.ValueOf(aws.Ptr(rapid.SampledFrom(some).Draw(t, f.Name))))
				continue
			}
			if f.Name == "DesiredCount" {
				v.Field(i).Set(reflect.ValueOf(aws.Ptr(rapid.Int32Range(-1, 3).Draw(t, f.Name))))
				continue
			}
			if f.IsExported() {
				draw(t, v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 1, 2}).Draw(t, "length"), 2))
		for i := range v.Len() {
			draw(t, v.Index(i), depth+1)
		}
	case reflect.String:
		v.SetString(rapid.SampledFrom(words).Draw(t, "word"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(rapid.Int32Range(-2, 300).Draw(t, "number")))
	default: // maps, floats and times stay as they are
	}
}

// Whatever a client sends, it gets an answer or an error of ECS: nothing panics, and
// nothing is an internal error.
func TestArbitraryInputs(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 64)
	r.service("web", 1)
	r.instance()
	r.run("web")
	for _, o := range operations(r) {
		t.Run(o.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				err := o.call(t, r)
				var e *aws.Error
				var bad *wire.Invalid
				switch {
				case err == nil, errors.As(err, &bad):
				case errors.As(err, &e):
					if info, _ := shape.Model.Operation(o.name); !slices.Contains(info.Errors, e.Code) && e.Code != shape.CodeInvalidParameterException {
						t.Fatalf("%s does not answer %s: %v", o.name, e.Code, err)
					}
				default:
					t.Fatalf("an internal error: %v", err)
				}
			})
		})
	}
}
