package taskdef

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var facts = Facts{Home: ecs.Home{Account: "000000000000", Region: "us-east-1"}, Revision: 3,
	At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "arn:aws:iam::000000000000:root"}

// request reads a request as a client writes it.
func request(t *testing.T, text string) *shape.RegisterTaskDefinitionRequest {
	t.Helper()
	in := new(shape.RegisterTaskDefinitionRequest)
	if err := json.Unmarshal([]byte(text), in); err != nil {
		t.Fatal(err)
	}
	return in
}

// with is a definition of one container with more members.
func with(container, task string) string {
	if container != "" {
		container = "," + container
	}
	if task != "" {
		task = "," + task
	}
	return `{"family":"web","containerDefinitions":[{"name":"app","image":"web:1","memory":64` + container + `}]` + task + `}`
}

func TestDefaults(t *testing.T) {
	in := request(t, with(`"portMappings":[{"containerPort":80}],"healthCheck":{"command":["CMD","true"]}`, ""))
	d, err := Build(in, facts)
	if err != nil {
		t.Fatal(err)
	}
	c := d.ContainerDefinitions[0]
	for name, got := range map[string]bool{
		"cpu":         *c.Cpu == 0,
		"essential":   *c.Essential,
		"empties":     c.Environment != nil && c.MountPoints != nil && c.VolumesFrom != nil && c.SystemControls != nil,
		"port":        *c.PortMappings[0].HostPort == 0 && *c.PortMappings[0].Protocol == "tcp",
		"healthCheck": *c.HealthCheck.Interval == 30 && *c.HealthCheck.Timeout == 5 && *c.HealthCheck.Retries == 3 && c.HealthCheck.StartPeriod == nil,
		"arn":         *d.TaskDefinitionArn == "arn:aws:ecs:us-east-1:000000000000:task-definition/web:3",
		"status":      *d.Status == "ACTIVE" && d.RegisteredAt.Equal(facts.At),
		"task":        d.Volumes != nil && d.PlacementConstraints != nil && d.NetworkMode == nil,
		"compatible":  cmp.Equal(d.Compatibilities, []string{"EXTERNAL", "EC2"}),
		"request":     in.ContainerDefinitions[0].Cpu == nil && in.ContainerDefinitions[0].PortMappings[0].HostPort == nil,
	} {
		if !got {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// What is answered can be registered again and stays as it is.
func TestBuildIsAFixedPoint(t *testing.T) {
	first, err := Build(request(t, with(`"portMappings":[{"containerPort":80}],"healthCheck":{"command":["CMD","true"]}`, `"networkMode":"host"`)), facts)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Build(request(t, string(b)), facts)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, again); d != "" {
		t.Error(d)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no containers", `{"family":"web"}`, "Container list cannot be empty"},
		{"family", `{"family":"a b"}`, "Family contains invalid characters"},
		{"no name", `{"family":"w","containerDefinitions":[{"image":"i","memory":64}]}`, "Container.name should not be null or empty."},
		{"no image", `{"family":"w","containerDefinitions":[{"name":"a","memory":64}]}`, "Container.image should not be null or empty."},
		{"no memory", `{"family":"w","containerDefinitions":[{"name":"a","image":"i"}]}`, "At least one of 'memory' or 'memoryReservation' must be specified."},
		{"little memory", with(`"memoryReservation":5`, ""), "at least 6 MiB"},
		{"reservation above memory", with(`"memoryReservation":65`, ""), "greater than or equal to 'memoryReservation'"},
		{"nothing essential", with(`"essential":false`, ""), "essential"},
		{"two of a name", `{"family":"w","containerDefinitions":[{"name":"a","image":"i","memory":64},{"name":"a","image":"i","memory":64}]}`, "Duplicate container name 'a'"},
		{"unknown volume", with(`"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]`, ""), "Unknown volume 'v'."},
		{"two volumes of a name", with("", `"volumes":[{"name":"v"},{"name":"v"}]`), "Duplicate volume name 'v'"},
		{"volumesFrom", with(`"volumesFrom":[{"sourceContainer":"x"}]`, ""), "unknown container 'x'"},
		{"network mode", with("", `"networkMode":"magic"`), "networkMode"},
		{"ports in mode none", with(`"portMappings":[{"containerPort":80}]`, `"networkMode":"none"`), "networkMode=none"},
		{"ports in mode host", with(`"portMappings":[{"containerPort":80,"hostPort":81}]`, `"networkMode":"host"`), "must match"},
		{"ports in mode awsvpc", with(`"portMappings":[{"containerPort":80,"hostPort":81}]`, `"networkMode":"awsvpc"`), "When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{"port", with(`"portMappings":[{"containerPort":70000}]`, ""), "containerPort"},
		{"range", with(`"portMappings":[{"containerPortRange":"9-1"}]`, ""), "containerPortRange"},
		{"protocol", with(`"portMappings":[{"containerPort":80,"protocol":"sctp"}]`, ""), "tcp or udp"},
		{"depends on nobody", with(`"dependsOn":[{"containerName":"x","condition":"START"}]`, ""), "unknown container 'x'"},
		{"depends on itself", with(`"dependsOn":[{"containerName":"app","condition":"START"}]`, ""), "cycle"},
		{"HEALTHY without a check", `{"family":"w","containerDefinitions":[{"name":"a","image":"i","memory":64,"dependsOn":[{"containerName":"b","condition":"HEALTHY"}]},{"name":"b","image":"i","memory":64}]}`, "no health check"},
		{"SUCCESS of an essential one", `{"family":"w","containerDefinitions":[{"name":"a","image":"i","memory":64,"dependsOn":[{"containerName":"b","condition":"SUCCESS"}]},{"name":"b","image":"i","memory":64}]}`, "essential"},
		{"interval", with(`"healthCheck":{"command":["x"],"interval":4}`, ""), "between 5 and 300"},
		{"timeout", with(`"healthCheck":{"command":["x"],"timeout":61}`, ""), "between 2 and 60"},
		{"retries", with(`"healthCheck":{"command":["x"],"retries":11}`, ""), "between 1 and 10"},
		{"startPeriod", with(`"healthCheck":{"command":["x"],"startPeriod":301}`, ""), "between 0 and 300"},
		{"restart period", with(`"restartPolicy":{"enabled":true,"restartAttemptPeriod":59}`, ""), "between 60 and 1800"},
		{"ulimit", with(`"ulimits":[{"name":"nofile","softLimit":2,"hardLimit":1}]`, ""), "exceeds its hard limit"},
		{"constraint", with("", `"placementConstraints":[{"type":"distinctInstance"}]`), "only memberOf"},
		{"task cpu", with("", `"cpu":"much"`), "'cpu' setting for task"},
		{"container above the task", with("", `"memory":"32"`), "exceeds the memory of the task"},
		{"FARGATE mode", with("", `"requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512"`), "Fargate only supports network mode 'awsvpc'."},
		{"FARGATE size", with("", `"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"4096"`), "No Fargate configuration exists for given values: 256 CPU, 4096 memory."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Build(request(t, c.text), facts)
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeClientException || !strings.Contains(e.Message, c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func TestRequiredAttributes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", with("", ""), nil},
		{"logs", with(`"logConfiguration":{"logDriver":"awslogs"}`, ""), []string{"com.amazonaws.ecs.capability.logging-driver.awslogs"}},
		{"privileged", with(`"privileged":true`, ""), []string{"com.amazonaws.ecs.capability.privileged-container"}},
		{"health check", with(`"healthCheck":{"command":["x"]}`, ""), []string{"ecs.capability.container-health-check"}},
		{"awsvpc", with("", `"networkMode":"awsvpc"`), []string{"ecs.capability.task-eni"}},
		{"stop timeout", with(`"stopTimeout":2`, ""), []string{"ecs.capability.container-ordering"}},
		{"role", with("", `"taskRoleArn":"arn:aws:iam::000000000000:role/r","networkMode":"host"`), []string{"com.amazonaws.ecs.capability.task-iam-role-network-host"}},
		{"secret", with(`"secrets":[{"name":"a","valueFrom":"arn:aws:secretsmanager:us-east-1:000000000000:secret:x"}]`, ""), []string{"ecs.capability.secrets.asm.environment-variables"}},
	} {
		d, err := Build(request(t, c.text), facts)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, w := range c.want {
			if !slices.ContainsFunc(d.RequiresAttributes, func(a shape.Attribute) bool { return *a.Name == w }) {
				t.Errorf("%s: %s is missing from %d attributes", c.name, w, len(d.RequiresAttributes))
			}
		}
		if c.want == nil && len(d.RequiresAttributes) > 0 {
			t.Errorf("%s: %+v", c.name, d.RequiresAttributes)
		}
	}
}
