package escape

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/escape/aim"
	"github.com/berth-ecs/berth/test/installation"
)

const image = "test.local/attempt:1"

// mostProcesses is the limit of a task here; an attempt makes more.
const mostProcesses = 400

// place is a region whose FARGATE tasks run on one runtime, with a task that others would like to get at.
type place struct {
	*installation.Installation
	t       *testing.T
	runtime string
	aim     aim.Aim
	network *types.NetworkConfiguration
	netns   string // of the victim
	spec    document
}

// newPlace starts it.
func newPlace(t *testing.T, runtime string, m machine) *place {
	t.Helper()
	p := &place{t: t, runtime: runtime, aim: m.aim}
	p.Installation = installation.Start(t, installation.Options{Settings: []string{"fargate-runtime=" + runtime, fmt.Sprintf("task-pids-limit=%d", mostProcesses)}})
	if err := p.Import(t.Context(), image, m.image); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.network, err = p.Private(t.Context(), "escape"); err != nil {
		t.Fatal(err)
	}
	p.victim(m.token)
	p.node()
	return p
}

// container is one of ./attempt.
func container(name string, args ...string) types.ContainerDefinition {
	return types.ContainerDefinition{Name: &name, Image: aws.String(image), Command: args, Essential: aws.Bool(false)}
}

// run starts a task on FARGATE.
func (p *place) run(cs ...types.ContainerDefinition) (arn string) {
	p.t.Helper()
	cs[0].Essential = aws.Bool(true)
	out, err := p.ECS.RegisterTaskDefinition(p.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("escape"), ContainerDefinitions: cs, NetworkMode: types.NetworkModeAwsvpc,
		Cpu: aws.String("1024"), Memory: aws.String("2048"), RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.RunRegistered(p.t, &ecs.RunTaskInput{
		TaskDefinition: out.TaskDefinition.TaskDefinitionArn, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: p.network,
	})
}

// victim is the other task. Its specification is what a real one's is.
func (p *place) victim(token string) {
	p.t.Helper()
	p.aim.Processes = mostProcesses + 50
	mine := "other-" + p.runtime + token
	task := p.AwaitTask(p.t, p.run(container("victim", "victim", mine)), "RUNNING")
	p.aim.Victims = []string{mine, "beside-" + p.runtime + token}
	for _, a := range task.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == "networkInterfaceId" {
				p.netns = filepath.Join(p.RunDir, "eni", aws.ToString(d.Value))
			}
		}
	}
	p.spec = p.specOf(*task.TaskArn)
	for _, v := range p.spec.at("process", "env").([]any) {
		if uri, ok := strings.CutPrefix(v.(string), "ECS_CONTAINER_METADATA_URI_V4="); ok {
			p.aim.Metadata = uri + "/task"
		}
	}
	p.aim.Loopback, p.aim.Instance = "127.0.0.1:7001", "http://169.254.169.254/latest/meta-data/"
}

// specOf reads a container's specification from where the runtime was given it.
func (p *place) specOf(arn string) document {
	p.t.Helper()
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	name := filepath.Join(p.RunDir, "containerd/io.containerd.runtime.v2.task", p.Name, id+"-0", "config.json")
	text, err := os.ReadFile(name)
	if err != nil {
		p.t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		p.t.Fatal(err)
	}
	return d
}

// node finds what of the node listens.
func (p *place) node() {
	p.t.Helper()
	err := filepath.WalkDir(p.RunDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type()&os.ModeSocket != 0 {
			p.aim.Sockets = append(p.aim.Sockets, path)
		}
		return nil
	})
	if err != nil || len(p.aim.Sockets) == 0 {
		p.t.Fatalf("sockets %v, %v", p.aim.Sockets, err)
	}
	endpoint, err := url.Parse(p.Endpoint)
	if err != nil {
		p.t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(p.Introspection)
	p.aim.Endpoints = []string{endpoint.Host, p.Introspection}
	for _, a := range addresses(p.t) {
		p.aim.Endpoints = append(p.aim.Endpoints, net.JoinHostPort(a, port), net.JoinHostPort(a, endpoint.Port()))
	}
}

// addresses are the machine's own, without the loopback's.
func addresses(t *testing.T) (out []string) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// attempt makes every attempt in a task beside a neighbour, and the one that takes all processes after the others.
func (p *place) attempt(t *testing.T) map[string]aim.Outcome {
	t.Helper()
	env := strings.SplitN(p.aim.Setting(), "=", 2)
	with := func(c types.ContainerDefinition) types.ContainerDefinition {
		c.Environment = []types.KeyValuePair{{Name: &env[0], Value: &env[1]}}
		return c
	}
	attacker := with(container("attacker", append([]string{"all"}, apartFrom(crowd)...)...))
	attacker.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "/attempt", "true"}, Interval: aws.Int32(5), Timeout: aws.Int32(5)}
	bomb := with(container("bomb", "all", crowd))
	bomb.DependsOn = []types.ContainerDependency{{ContainerName: aws.String("attacker"), Condition: types.ContainerConditionComplete}}
	arn := p.run(bomb, attacker, container("beside", "victim", p.aim.Victims[1]))
	p.AwaitTask(p.t, arn, "STOPPED")
	out := map[string]aim.Outcome{}
	for _, name := range []string{"attacker", "bomb"} {
		text, err := p.Command(p.t.Context(), "logs", arn, name).Output()
		if err != nil {
			p.t.Fatalf("berth logs: %v", err)
		}
		outcomes(p.t, string(text), out)
	}
	return out
}

// outcomes reads what the program printed.
func outcomes(t testing.TB, text string, into map[string]aim.Outcome) {
	t.Helper()
	for line := range strings.Lines(text) {
		var o aim.Outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.Name == "" {
			t.Errorf("it says %q", line)
			continue
		}
		into[o.Name] = o
	}
}
