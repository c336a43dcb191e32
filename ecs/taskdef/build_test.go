package taskdef

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
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
