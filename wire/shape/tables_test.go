package shape_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/shape/sts"
)

// Everything walks structs by the tables: field i must be member i, of the right kind, all the way down.
func TestStructsMatchTables(t *testing.T) {
	for _, tt := range []struct {
		service *shape.Service
		shape   shape.ID
		value   any
	}{
		{&ecs.Model, ecs.OpRegisterTaskDefinition.Info.Input, ecs.RegisterTaskDefinitionRequest{}},
		{&ecs.Model, ecs.OpDescribeServices.Info.Output, ecs.DescribeServicesResponse{}},
		{&ecs.Model, ecs.OpCreateService.Info.Input, ecs.CreateServiceRequest{}},
		{&ecs.Model, ecs.OpDescribeTasks.Info.Output, ecs.DescribeTasksResponse{}},
		{&ecs.Model, ecs.OpCreateCapacityProvider.Info.Input, ecs.CreateCapacityProviderRequest{}},
		{&sts.Model, sts.OpAssumeRole.Info.Input, sts.AssumeRoleRequest{}},
		{&sts.Model, sts.OpAssumeRole.Info.Output, sts.AssumeRoleResponse{}},
	} {
		matches(t, tt.service, tt.shape, reflect.TypeOf(tt.value), map[shape.ID]bool{})
	}
}

var goKinds = map[shape.Kind]reflect.Kind{
	shape.Structure: reflect.Struct, shape.List: reflect.Slice, shape.Map: reflect.Map, shape.String: reflect.String, shape.Integer: reflect.Int32,
	shape.Long: reflect.Int64, shape.Float: reflect.Float32, shape.Double: reflect.Float64, shape.Boolean: reflect.Bool,
	shape.Timestamp: reflect.Struct, shape.Blob: reflect.Slice, shape.Doc: reflect.Slice,
}

func matches(t *testing.T, s *shape.Service, id shape.ID, typ reflect.Type, seen map[shape.ID]bool) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	sh := s.Shape(id)
	if typ.Kind() != goKinds[sh.Kind] {
		t.Fatalf("%s is a %s, its Go type is %s", sh.Name, goKinds[sh.Kind], typ)
	}
	if seen[id] {
		return
	}
	seen[id] = true
	switch sh.Kind {
	case shape.Structure:
		if typ.NumField() != len(sh.Members) {
			t.Fatalf("%s has %d members, %s has %d fields", sh.Name, len(sh.Members), typ, typ.NumField())
		}
		for i, m := range sh.Members {
			if tag := typ.Field(i).Tag.Get("json"); tag != m.Name+",omitzero" || !strings.EqualFold(typ.Field(i).Name, m.Name) {
				t.Errorf("%s.%s is not member %s (%s)", typ, typ.Field(i).Name, m.Name, tag)
			}
			matches(t, s, m.Shape, typ.Field(i).Type, seen)
		}
	case shape.List, shape.Map:
		matches(t, s, sh.Elem.Shape, typ.Elem(), seen)
	default: // a scalar has no parts
	}
}

func TestOperationTables(t *testing.T) {
	for _, s := range []*shape.Service{&ecs.Model, &sts.Model} {
		if !slices.IsSortedFunc(s.Operations, func(a, b shape.OperationInfo) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("%s: operations are not sorted", s.ID)
		}
		for _, o := range s.Operations {
			if found, ok := s.Operation(o.Name); !ok || found.Name != o.Name {
				t.Errorf("%s.%s is not found", s.ID, o.Name)
			}
			for _, code := range o.Errors {
				if _, ok := s.Error(code); !ok {
					t.Errorf("%s.%s: no error %s", s.ID, o.Name, code)
				}
			}
		}
		for _, name := range []string{"", "A", "zzz", "RunTas", "RunTaskx"} {
			if _, ok := s.Operation(name); ok {
				t.Errorf("%s has an operation %q", s.ID, name)
			}
		}
		for _, sh := range s.Shapes {
			pattern := sh.Regexp
			if pattern == "" {
				pattern = sh.Pattern
			}
			if _, err := regexp.Compile(pattern); err != nil {
				t.Errorf("%s.%s: %v", s.ID, sh.Name, err)
			}
		}
	}
	if info := ecs.OpRunTask.Info; info.Token != "clientToken" || info.Name != "RunTask" {
		t.Errorf("RunTask: %+v", info)
	}
	if page := ecs.OpListTasks.Info.Page; page.Limit != "maxResults" || !slices.Equal(page.InputTokens, []string{"nextToken"}) {
		t.Errorf("ListTasks pages by %+v", page)
	}
	if info := sts.OpAssumeRoleWithWebIdentity.Info; !info.NoAuth || info.ResultWrapper != "AssumeRoleWithWebIdentityResult" {
		t.Errorf("AssumeRoleWithWebIdentity: %+v", info)
	}
	if e, ok := ecs.Model.Error(ecs.CodeServerException); !ok || e.Status() != 500 {
		t.Errorf("ServerException: %+v", e)
	}
	if e, ok := sts.Model.Error(sts.CodeIDPRejectedClaimException); !ok || e.Code != "IDPRejectedClaim" || e.Status() != 403 {
		t.Errorf("IDPRejectedClaim: %+v", e)
	}
}
