package hosts_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const peerImage = "test.local/peer:1"

// peerProgram is an image of the program that answers requests and passes them on.
func peerProgram(t *testing.T) images.Spec {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "peer")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/berth-ecs/berth/test/e2e/peer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build peer: %v\n%s", err, out)
	}
	spec, err := images.Program(binary, v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// fleet is servers and a node with two services: web, whose containers come back by their restart policy, and once, whose do not.
type fleet struct {
	t       *testing.T
	world   *hosts.World
	servers []*hosts.Host
	node    *hosts.Host
	spare   *hosts.Host // takes over what node had
	old     string      // the container instance of node
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	w, servers := three(t)
	f := &fleet{t: t, world: w, servers: servers, node: w.Host()}
	f.node.JoinNode(servers[1], "--image-pull-behavior=prefer-cached")
	installation.Eventually(t, "the node to be connected", func(ctx context.Context) error { return connected(ctx, servers[2].ECS(), 1) })
	if out := f.node.Must("doctor"); !strings.Contains(out, "this machine is a node of the region") {
		t.Errorf("doctor on a node says\n%s", out)
	}
	if out, err := f.node.Berth(t.Context(), "env"); err == nil || !strings.Contains(err.Error(), "this machine is a node") {
		t.Errorf("a node has the keys of root: %s %v", out, err)
	}
	if err := f.node.Import(t.Context(), peerImage, peerProgram(t)); err != nil {
		t.Fatal(err)
	}
	c := servers[2].ECS()
	restart := &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60)}
	f.service(c, "web", 2, restart)
	f.service(c, "once", 1, nil)
	for name, n := range map[string]int{"web": 2, "once": 1} {
		installation.Eventually(t, name+" to run", func(ctx context.Context) error { _, err := running(ctx, c, name, n); return err })
	}
	return f
}

// connected tells whether so many nodes have their agents connected.
func connected(ctx context.Context, c *ecs.Client, n int) error {
	out, err := c.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
	if err == nil && len(out.ContainerInstanceArns) != n {
		err = fmt.Errorf("%d nodes are connected, want %d", len(out.ContainerInstanceArns), n)
	}
	return err
}

func (f *fleet) service(c *ecs.Client, name string, desired int32, restart *types.ContainerRestartPolicy) {
	f.t.Helper()
	_, err := c.RegisterTaskDefinition(f.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(name), NetworkMode: types.NetworkModeBridge,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(peerImage), Memory: aws.Int32(32), Command: []string{"tcp:80"}, RestartPolicy: restart,
			Environment:  []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: aws.String(name)}},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
		}},
	})
	if err == nil {
		_, err = c.CreateService(f.t.Context(), &ecs.CreateServiceInput{
			ServiceName: aws.String(name), TaskDefinition: aws.String(name), DesiredCount: aws.Int32(desired),
		})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// running answers the tasks of a service when so many of them, and no others, run.
func running(ctx context.Context, c *ecs.Client, service string, n int) ([]types.Task, error) {
	list, err := c.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: aws.String(service)})
	if err != nil {
		return nil, err
	}
	if len(list.TaskArns) != n {
		return nil, fmt.Errorf("%s has %d tasks, want %d", service, len(list.TaskArns), n)
	}
	out, err := c.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		return nil, err
	}
	for _, task := range out.Tasks {
		if s := aws.ToString(task.LastStatus); s != "RUNNING" {
			return nil, fmt.Errorf("%s is %s (%s)", aws.ToString(task.TaskArn), s, aws.ToString(task.StoppedReason))
		}
	}
	return out.Tasks, nil
}

// at is where a task of the node is reached from every host.
func (f *fleet) at(task types.Task) string {
	for _, b := range task.Containers[0].NetworkBindings {
		return fmt.Sprintf("http://%s:%d", f.node.Address, aws.ToInt32(b.HostPort))
	}
	f.t.Fatalf("%s has no port", aws.ToString(task.TaskArn))
	return ""
}

// get is the answer of a URL, as seen from a server's host.
func get(ctx context.Context, client *http.Client, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// process is the first process of a task's container, seen from the machine.
func process(task types.Task) (int, error) {
	arn := aws.ToString(task.TaskArn)
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	found, err := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, path := range found {
		cgroup, _ := os.ReadFile(path) // it may be gone by now
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "status"))
		var pid int
		_, _ = fmt.Sscanf(filepath.Base(filepath.Dir(path)), "%d", &pid)
		if strings.Contains(string(cgroup), "/"+id+"/") && strings.Contains(string(status), fmt.Sprintf("NSpid:\t%d\t1\n", pid)) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no process of %s (%w)", arn, err)
}
