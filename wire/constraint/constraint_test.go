package constraint

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire/internal/arbitrary"
	"github.com/berth-ecs/berth/wire/internal/toy/toyjson"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/shape/sts"
)

func TestMessages(t *testing.T) {
	echo := toyjson.OpEcho.Info.Input
	long := strings.Repeat("é", 300)
	for _, tt := range []struct {
		name    string
		service *aws.Service
		shape   aws.ID
		in      any
		want    string
	}{
		{"nothing", &toyjson.Model, echo, &toyjson.EchoInput{}, ""},
		{"no input", &toyjson.Model, aws.None, nil, ""},
		{"unset enum of nothing", &toyjson.Model, echo, &toyjson.EchoInput{Colour: aws.Ptr(toyjson.ColourDeepBlue), Percent: aws.Ptr[int32](0)}, ""},
		{"enum", &toyjson.Model, echo, &toyjson.EchoInput{Colour: aws.Ptr("")}, "1 validation error detected: Value '' at 'colour' failed to satisfy constraint: Member must satisfy enum value set: [RED, DEEP_BLUE]"},
		{"value", &toyjson.Model, echo, &toyjson.EchoInput{Percent: aws.Ptr[int32](-1)}, "1 validation error detected: Value '-1' at 'percent' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		{"length and pattern", &toyjson.Model, echo, &toyjson.EchoInput{Name: aws.Ptr("")}, "2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+"},
		{"a pattern is about the whole value", &toyjson.Model, echo, &toyjson.EchoInput{Name: aws.Ptr("a\nb")}, "1 validation error detected: Value 'a\nb' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+"},
		{"list", &toyjson.Model, echo, &toyjson.EchoInput{Words: make([]string, 5)}, "1 validation error detected: Value at 'words' failed to satisfy constraint: Member must have length less than or equal to 4"},
		{"nested", &toyjson.Model, echo, &toyjson.EchoInput{Parts: []toyjson.Part{{Name: aws.Ptr("a"), Parts: []toyjson.Part{{}}}}}, "1 validation error detected: Value null at 'parts.1.member.parts.1.member.name' failed to satisfy constraint: Member must not be null"},
		{"map", &toyjson.Model, echo, &toyjson.EchoInput{Shelf: map[string]toyjson.Part{"x": {}}}, "1 validation error detected: Value null at 'shelf.x.member.name' failed to satisfy constraint: Member must not be null"},
		{"required", &ecs.Model, ecs.OpStopTask.Info.Input, &ecs.StopTaskRequest{}, "1 validation error detected: Value null at 'task' failed to satisfy constraint: Member must not be null"},
		{"empty is not null", &ecs.Model, ecs.OpStopTask.Info.Input, &ecs.StopTaskRequest{Task: aws.Ptr("")}, ""},
		{"capitalised members", &sts.Model, sts.OpGetAccessKeyInfo.Info.Input, &sts.GetAccessKeyInfoRequest{AccessKeyId: aws.Ptr("short")}, "1 validation error detected: Value 'short' at 'accessKeyId' failed to satisfy constraint: Member must have length greater than or equal to 16"},
		{"long values are cut", &sts.Model, sts.OpGetAccessKeyInfo.Info.Input, &sts.GetAccessKeyInfoRequest{AccessKeyId: &long}, strings.Repeat("é", 128) + "...'"},
		{"Java's pattern", &sts.Model, sts.OpAssumeRole.Info.Input, &sts.AssumeRoleRequest{RoleArn: aws.Ptr("arn:aws:iam::000000000000:role/\x00"), RoleSessionName: aws.Ptr("ab")}, "regular expression pattern: [\\u0009"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := Check(tt.service, tt.shape, tt.in)
			if tt.want == "" {
				if found != nil {
					t.Errorf("found %s", Message(found))
				}
				return
			}
			if got := Message(found); !strings.Contains(got, tt.want) || strings.HasPrefix(tt.want, "1") && got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestManyAreCountedAndCut(t *testing.T) {
	got := Message(Check(&toyjson.Model, toyjson.OpEcho.Info.Input, &toyjson.EchoInput{Parts: make([]toyjson.Part, 100)}))
	if !strings.HasPrefix(got, "100 validation errors detected: ") || strings.Count(got, "Value null") != maxListed {
		t.Errorf("message %s", got)
	}
}

func TestSensitiveValuesAreNotShown(t *testing.T) {
	model := aws.Service{Shapes: []aws.Shape{
		{Name: "In", Kind: aws.Structure, Members: []aws.Member{{Name: "Secret", Shape: 1}}},
		{Name: "Secret", Kind: aws.String, Sensitive: true, Bounds: aws.HasMax, Max: 1},
	}}
	got := Message(Check(&model, 0, &struct{ Secret *string }{aws.Ptr("hush")}))
	if want := "1 validation error detected: Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 1"; got != want {
		t.Errorf("got %s", got)
	}
}

// Any value is checked without a panic, and what is found is told in one sentence.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in ecs.CreateServiceRequest
		arbitrary.Drawer{T: t, Service: &ecs.Model}.Fill(ecs.OpCreateService.Info.Input, &in, 4)
		found := Check(&ecs.Model, ecs.OpCreateService.Info.Input, &in)
		named := slices.ContainsFunc(found, func(v Violation) bool { return v.Path == "serviceName" })
		if in.ServiceName == nil && !named {
			t.Fatalf("the missing name was not found: %s", Message(found))
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	in := ecs.RegisterTaskDefinitionRequest{Family: aws.Ptr("web"), ContainerDefinitions: make([]ecs.ContainerDefinition, 10)}
	for i := range in.ContainerDefinitions {
		in.ContainerDefinitions[i] = ecs.ContainerDefinition{Name: aws.Ptr("a"), Image: aws.Ptr("b"), PortMappings: []ecs.PortMapping{{ContainerPort: aws.Ptr[int32](80)}}}
	}
	b.ReportAllocs()
	for b.Loop() {
		if found := Check(&ecs.Model, ecs.OpRegisterTaskDefinition.Info.Input, &in); found != nil {
			b.Fatal(Message(found))
		}
	}
}
