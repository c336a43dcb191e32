package compose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/taskdef"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session"
	"github.com/berth-ecs/berth/session/compose"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const definition = `{"family":"web","cpu":"512","memory":"1024","containerDefinitions":[
	{"name":"app","image":"web:1","memory":128,"command":["serve"],"environment":[{"name":"A","value":"1"}],"portMappings":[{"containerPort":80}]},
	{"name":"side","image":"side:1","memoryReservation":64,"essential":false,"dependsOn":[{"containerName":"app","condition":"START"}]}]}`

// The overrides of RunTask are refused with a client's error, or they come through to the node: the task can be placed, its payload is
// composed, travels, and is planned. Nothing is accepted that nobody could ever start.
func FuzzOverrides(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"cpu":".5 vCPU","memory":"2 GB"}`, `{"cpu":"NaN"}`, `{"memory":"1e3"}`, `{"cpu":"-1","memory":" 12 "}`,
		`{"containerOverrides":[{"name":"app","command":["a","b"],"cpu":64,"memory":256,"memoryReservation":32,"environment":[{"name":"A","value":"2"}]}]}`,
		`{"containerOverrides":[{"name":"app"},{"name":"app","command":[]},{"name":"side","environment":[{},{"name":"","value":"x"},{"name":"a=b"}]}]}`,
		`{"containerOverrides":[{"name":"gone"}]}`, `{"containerOverrides":[{"name":"app","memory":2147483647},{"name":"side","memory":-1}]}`,
		`{"taskRoleArn":"x","executionRoleArn":"arn:aws:iam::1:role/y"}`,
	} {
		f.Add([]byte(s))
	}
	d := revision(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var o shape.TaskOverride
		if json.Unmarshal(b, &o) != nil {
			return
		}
		in := &shape.RunTaskRequest{TaskDefinition: aws.Ptr("web"), Overrides: &o}
		for _, err := range []error{request.Refuse("RunTask", in), request.CheckOverrides(&d.Document, &o)} {
			if err != nil {
				if e, ok := errors.AsType[*aws.Error](err); !ok || e.Message == "" {
					t.Errorf("not a client's error: %v", err)
				}
				return
			}
		}
		needs, err := launch.Needs(&d.Document, &o)
		if err != nil {
			return // the API answers it as the client's
		}
		if needs.CPU < 0 || needs.MemoryMiB < 0 {
			t.Errorf("the task gives its node something: %+v", needs)
		}
		reaches(t, d, o, needs)
	})
}

// reaches: an accepted task arrives at a node as what was accepted.
func reaches(t *testing.T, d *ecs.TaskDefinition, o shape.TaskOverride, needs ecs.Amounts) {
	t.Helper()
	n := 0
	r := launch.Make(launch.Spec{Home: d.Home, Cluster: "default", Definition: d, Count: 1, Overrides: o},
		launch.Placed{Instance: &ecs.Instance{ID: "i", Node: "n", LaunchType: "EC2"}, Holds: needs}, time.Unix(0, 0),
		func() string { n++; return fmt.Sprintf("%032x", n) })
	task, err := compose.Start(r.Task, d)
	if err != nil {
		t.Fatalf("accepted, but no agent can be told: %v", err)
	}
	frame, err := session.Encode(&session.PayloadMessage{Tasks: []session.Task{task}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	got := m.(*session.PayloadMessage).Tasks[0]
	if diff := cmp.Diff(len(task.Containers), len(got.Containers)); diff != "" {
		t.Fatal(diff)
	}
	if _, err := plan.New(got, plan.Node{Region: "us-east-1", DataDir: "/data"}); err != nil {
		t.Errorf("accepted, but no node can start it: %v", err)
	}
}

func revision(f *testing.F) *ecs.TaskDefinition {
	f.Helper()
	in := new(shape.RegisterTaskDefinitionRequest)
	if err := json.Unmarshal([]byte(definition), in); err != nil {
		f.Fatal(err)
	}
	doc, err := taskdef.Build(in, taskdef.Facts{Home: ecs.Home{Account: "000000000000", Region: "us-east-1"}, Revision: 1})
	if err != nil {
		f.Fatal(err)
	}
	return &ecs.TaskDefinition{Home: ecs.Home{Account: "000000000000", Region: "us-east-1"}, Family: "web", Revision: 1, Document: *doc}
}
