package taskdef

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// failer is what tests and properties have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// again registers what was answered: clients read a definition, change a line and
// register it. The members that only an answer has are no members of the request.
func again(t failer, d *shape.TaskDefinition) {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	in := new(shape.RegisterTaskDefinitionRequest)
	if err := json.Unmarshal(b, in); err != nil {
		t.Fatal(err)
	}
	second, err := Build(in, facts)
	if err != nil {
		t.Fatalf("what was answered is refused: %v\n%s", err, b)
	}
	if diff := cmp.Diff(d, second); diff != "" {
		t.Fatalf("registered again (-first +second):\n%s", diff)
	}
}

func TestBuildIsAFixedPoint(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		d, err := Build(definition(t), facts)
		if err != nil {
			var e *aws.Error
			if !errors.As(err, &e) || e.Code != shape.CodeClientException || e.Message == "" {
				t.Fatalf("no client's error: %v", err)
			}
			return
		}
		accepted++
		again(t, d)
	})
	if accepted == 0 {
		t.Error("no definition was accepted: the property says nothing")
	}
}

// Two definitions with their containers in another order need the same of a node.
func TestOrderOfContainersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := definition(t)
		first, err := Build(in, facts)
		if err != nil {
			return
		}
		turned := *in
		turned.ContainerDefinitions = nil
		for _, c := range slices.Backward(in.ContainerDefinitions) {
			turned.ContainerDefinitions = append(turned.ContainerDefinitions, c)
		}
		second, err := Build(&turned, facts)
		if err != nil {
			t.Fatalf("refused in another order: %v", err)
		}
		if diff := cmp.Diff(first.RequiresAttributes, second.RequiresAttributes); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(first.Compatibilities, second.Compatibilities); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A graph whose edges lead to smaller numbers has no cycle; one edge more, from
// where a path ends to where it began, closes one.
func TestCyclic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 10).Draw(t, "containers")
		edges := map[string][]string{}
		for i := 1; i < n; i++ {
			for _, to := range rapid.SliceOfN(rapid.IntRange(0, i-1), 1, 3).Draw(t, "edges") {
				edges[strconv.Itoa(i)] = append(edges[strconv.Itoa(i)], strconv.Itoa(to))
			}
		}
		if cyclic(edges) {
			t.Fatalf("no cycle in %v", edges)
		}
		end := strconv.Itoa(rapid.IntRange(1, n-1).Draw(t, "start"))
		start := end
		for range rapid.IntRange(0, n).Draw(t, "steps") {
			if next := edges[end]; len(next) > 0 {
				end = next[0]
			}
		}
		edges[end] = append(edges[end], start)
		if !cyclic(edges) {
			t.Fatalf("from %s back to %s is a cycle in %v", end, start, edges)
		}
	})
}

// definition draws a request that is often good.
func definition(t *rapid.T) *shape.RegisterTaskDefinitionRequest {
	in := &shape.RegisterTaskDefinitionRequest{
		Family:      aws.Ptr("web"),
		NetworkMode: maybe(t, "mode", "bridge", "host", "awsvpc", "none"),
		Cpu:         maybe(t, "cpu", "256", "1 vCPU", ".5vcpu", "2048"),
		Memory:      maybe(t, "memory", "512", "2GB", "0.5 GB", "4096"),
		PidMode:     maybe(t, "pid", "host", "task"),
		Volumes:     []shape.Volume{{Name: aws.Ptr("v")}},
	}
	if rapid.Bool().Draw(t, "docker volume") {
		in.Volumes = append(in.Volumes, shape.Volume{Name: aws.Ptr("d"), DockerVolumeConfiguration: &shape.DockerVolumeConfiguration{Driver: maybe(t, "driver", "local")}})
	}
	if rapid.Bool().Draw(t, "fargate") {
		in.RequiresCompatibilities = []string{shape.CompatibilityFargate}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "containers") {
		in.ContainerDefinitions = append(in.ContainerDefinitions, drawContainer(t, i))
	}
	return in
}

func drawContainer(t *rapid.T, i int) shape.ContainerDefinition {
	c := shape.ContainerDefinition{
		Name: aws.Ptr(fmt.Sprint("c", i)), Image: aws.Ptr("image"), Memory: aws.Ptr(int32(64)),
		Essential: optional(t, "essential", rapid.Bool()), Cpu: optional(t, "cpu", rapid.Int32Range(0, 300)),
		User: maybe(t, "user", "nobody"), StopTimeout: optional(t, "stop", rapid.Int32Range(0, 130)),
	}
	if rapid.Bool().Draw(t, "port") {
		c.PortMappings = []shape.PortMapping{{ContainerPort: aws.Ptr(rapid.Int32Range(1, 9).Draw(t, "port")), HostPort: optional(t, "host", rapid.Int32Range(0, 9)), Protocol: maybe(t, "protocol", "tcp", "udp")}}
	}
	if rapid.Bool().Draw(t, "health") {
		c.HealthCheck = &shape.HealthCheck{Command: []string{"CMD", "true"}, Interval: optional(t, "interval", rapid.Int32Range(4, 301)), StartPeriod: optional(t, "start", rapid.Int32Range(0, 10))}
	}
	if on := rapid.IntRange(-3, 3).Draw(t, "depends on"); on >= 0 {
		c.DependsOn = []shape.ContainerDependency{{ContainerName: aws.Ptr(fmt.Sprint("c", on)), Condition: aws.Ptr(rapid.SampledFrom([]string{"START", "HEALTHY", "SUCCESS"}).Draw(t, "condition"))}}
	}
	if rapid.Bool().Draw(t, "mount") {
		c.MountPoints = []shape.MountPoint{{SourceVolume: aws.Ptr("v"), ContainerPath: aws.Ptr("/v")}}
	}
	return c
}

// maybe draws one of some values, or none.
func maybe(t *rapid.T, label string, values ...string) *string {
	return optional(t, label, rapid.SampledFrom(values))
}

func optional[T any](t *rapid.T, label string, of *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "has "+label) {
		return aws.Ptr(of.Draw(t, label))
	}
	return nil
}
