package request

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// requests are the input types of the operations that the table names.
var requests = map[string]any{
	"CreateCluster": &shape.CreateClusterRequest{}, "UpdateCluster": &shape.UpdateClusterRequest{},
	"RunTask": &shape.RunTaskRequest{}, "StartTask": &shape.StartTaskRequest{}, "ListTasks": &shape.ListTasksRequest{},
	"CreateService": &shape.CreateServiceRequest{}, "UpdateService": &shape.UpdateServiceRequest{},
}

// Every row is reachable, answers an error that its operation has, and is silent
// about requests without its member.
func TestRefusals(t *testing.T) {
	for _, row := range Refusals {
		for _, name := range row.Operations {
			empty, ok := requests[name]
			if !ok {
				t.Fatalf("%s is not among the requests of this test", name)
			}
			if err := Refuse(name, empty); err != nil {
				t.Errorf("%s: an empty request is refused: %v", name, err)
			}
			in := reflect.New(reflect.TypeOf(empty).Elem())
			if !fill(in.Elem(), strings.Split(row.Field, "."), row.Values) {
				// The member is in one of the operations only.
				if len(row.Operations) == 1 {
					t.Errorf("%s has no member %s", name, row.Field)
				}
				continue
			}
			var e *aws.Error
			if err := Refuse(name, in.Interface()); !errors.As(err, &e) || e.Code != row.Code || !strings.Contains(e.Message, row.Message) {
				t.Errorf("%s with %s: %v", name, row.Field, err)
			}
			info, _ := shape.Model.Operation(name)
			if !contains(info.Errors, row.Code) {
				t.Errorf("%s does not answer %s", name, row.Code)
			}
		}
	}
}

// fill sets the member at a path to a refused value.
func fill(v reflect.Value, path, values []string) bool {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return fill(v.Elem(), path, values)
	}
	if len(path) > 0 && v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return fill(v.Index(0), path, values)
	}
	if len(path) > 0 {
		f := v.FieldByName(member(path[0]))
		return f.IsValid() && fill(f, path[1:], values)
	}
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.String:
		v.SetString("x")
		if len(values) > 0 {
			v.SetString(values[0])
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32:
		v.SetInt(1)
	default: // a struct that is there is enough
	}
	return true
}

func TestRefusedDefinitions(t *testing.T) {
	if err := RefuseDefinition(&shape.TaskDefinition{}, ""); err != nil {
		t.Errorf("an empty definition is refused: %v", err)
	}
	for _, row := range Definitions {
		d := new(shape.TaskDefinition)
		if !fill(reflect.ValueOf(d).Elem(), strings.Split(row.Field, "."), row.Values) {
			t.Errorf("a definition has no member %s", row.Field)
		}
		var e *aws.Error
		if err := RefuseDefinition(d, ""); !errors.As(err, &e) || e.Code != row.Code || !strings.Contains(e.Message, row.Message) {
			t.Errorf("%s: %v", row.Field, err)
		}
	}
}

func contains(all []string, s string) bool {
	return strings.Contains(" "+strings.Join(all, " ")+" ", " "+s+" ")
}

// What asks for nothing that is missing is not refused.
func TestAllowedValues(t *testing.T) {
	for _, in := range []any{
		&shape.CreateServiceRequest{LaunchType: aws.Ptr("EC2"), SchedulingStrategy: aws.Ptr("REPLICA"),
			AvailabilityZoneRebalancing: aws.Ptr("DISABLED"), EnableExecuteCommand: aws.Ptr(false), LoadBalancers: []shape.LoadBalancer{},
			DeploymentController: &shape.DeploymentController{Type: aws.Ptr("ECS")},
			DeploymentConfiguration: &shape.DeploymentConfiguration{Strategy: aws.Ptr("ROLLING"), BakeTimeInMinutes: aws.Ptr(int32(0)),
				DeploymentCircuitBreaker: &shape.DeploymentCircuitBreaker{Enable: aws.Ptr(false), Rollback: aws.Ptr(false)}}},
	} {
		if err := Refuse("CreateService", in); err != nil {
			t.Error(err)
		}
	}
}
