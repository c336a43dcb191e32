package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// endpoint is a peer's ECS_CONTAINER_METADATA_URI_V4.
func endpoint(t testing.TB, base string) string {
	t.Helper()
	var out string
	installation.Eventually(t, "metadata URI of "+base, func(context.Context) (err error) {
		out, err = fetch(base + "/env?name=ECS_CONTAINER_METADATA_URI_V4")
		return err
	})
	return out
}

// document is what a peer reads at its metadata endpoint.
func document(t testing.TB, base, path string) map[string]any {
	t.Helper()
	body, err := fetch(inside(base, endpoint(t, base)+path))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, body)
	}
	return out
}

// The container listens on 0.0.0.0:80 itself, and reads its metadata at 169.254.170.2:80 all the same.
func TestMetadataOfABridgeTask(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, peer("main", "tcp:80"), script("side", idle)))
	base := "http://127.0.0.1:" + hostPort(t, task, "main", 80)
	if uri := endpoint(t, base); !strings.HasPrefix(uri, "http://169.254.170.2/v4/") {
		t.Errorf("the endpoint is %q", uri)
	}
	c := document(t, base, "")
	main := containerOf(t, task, "main")
	equal(t, "Name", c["Name"], any("main"))
	equal(t, "Image", c["Image"], any(peerImage))
	equal(t, "ContainerARN", c["ContainerARN"], any(aws.ToString(main.ContainerArn)))
	equal(t, "DockerId", c["DockerId"], any(aws.ToString(main.RuntimeId)))
	equal(t, "KnownStatus", c["KnownStatus"], any("RUNNING"))
	equal(t, "ImageID", c["ImageID"], any(aws.ToString(main.ImageDigest)))
	whole := document(t, base, "/task")
	equal(t, "TaskARN", whole["TaskARN"], any(*task.TaskArn))
	equal(t, "Family", whole["Family"], any(family(t)))
	equal(t, "Revision", whole["Revision"], any("1"))
	equal(t, "Cluster", whole["Cluster"], any(id(aws.ToString(task.ClusterArn))))
	equal(t, "AvailabilityZone", whole["AvailabilityZone"], any("us-east-1a"))
	equal(t, "containers", len(whole["Containers"].([]any)), 2)
	stats := document(t, base, "/stats")
	if memory, _ := stats["memory_stats"].(map[string]any); memory["usage"] == nil || memory["usage"] == 0.0 {
		t.Errorf("stats have no memory usage: %v", stats)
	}
	equal(t, "task stats", len(document(t, base, "/task/stats")), 2)
}

// The machine's own way to 169.254.170.2 leads to one installation only: the one whose bridge is oldest.
func TestMetadataOfAHostTask(t *testing.T) {
	t.Parallel()
	if link := wayTo(t, "02AAFEA9"); link != region.Name+"0" {
		t.Skipf("the machine's way to 169.254.170.2 leads to %s, another installation", link)
	}
	port := freePort(t)
	c := peer("main", "tcp:"+text(int(port)))
	c.PortMappings = nil
	d := define(t, c)
	d.NetworkMode = types.NetworkModeHost
	task := running(t, d)
	base := "http://127.0.0.1:" + text(int(port))
	equal(t, "TaskARN", document(t, base, "/task")["TaskARN"], any(*task.TaskArn))
	equal(t, "Name", document(t, base, "")["Name"], any("main"))
}

func TestMetadataWithTags(t *testing.T) {
	t.Parallel()
	arn := startWith(t, &ecs.RunTaskInput{
		TaskDefinition: aws.String(register(t, define(t, peer("main", "tcp:80")))),
		Tags:           []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
	})
	base := "http://127.0.0.1:" + hostPort(t, region.AwaitTask(t, arn, "RUNNING"), "main", 80)
	tags, _ := document(t, base, "/taskWithTags")["TaskTags"].(map[string]any)
	equal(t, "team", tags["team"], any("blue"))
}

// Many containers ask at once and each is told about itself.
func TestMetadataOfManyContainers(t *testing.T) {
	t.Parallel()
	cs := []types.ContainerDefinition{peer("p0", "tcp:80"), peer("p1", "tcp:80"), peer("p2", "tcp:80"), peer("p3", "tcp:80")}
	arn := register(t, define(t, cs...))
	var tasks []types.Task
	for range 3 {
		tasks = append(tasks, region.AwaitTask(t, startWith(t, &ecs.RunTaskInput{TaskDefinition: &arn}), "RUNNING"))
	}
	var wg sync.WaitGroup
	for _, task := range tasks {
		for _, c := range cs {
			base := "http://127.0.0.1:" + hostPort(t, task, *c.Name, 80)
			uri := endpoint(t, base)
			wg.Go(func() {
				for range 20 {
					if err := tellsOf(inside(base, uri), *c.Name, *task.TaskArn); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}

func tellsOf(at, name, taskARN string) error {
	body, err := fetch(at)
	if err != nil {
		return err
	}
	var c struct {
		Name   string
		Labels map[string]string
	}
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		return err
	}
	if c.Name != name || c.Labels["com.amazonaws.ecs.task-arn"] != taskARN {
		return fmt.Errorf("%s of %s was told about %s of %s", name, taskARN, c.Name, c.Labels["com.amazonaws.ecs.task-arn"])
	}
	return nil
}

func TestMetadataOfAnotherTaskIsNotTold(t *testing.T) {
	t.Parallel()
	one, two := running(t, define(t, peer("one", "tcp:80"))), running(t, define(t, peer("two", "tcp:80")))
	baseOne, baseTwo := "http://127.0.0.1:"+hostPort(t, one, "one", 80), "http://127.0.0.1:"+hostPort(t, two, "two", 80)
	for _, uri := range []string{endpoint(t, baseTwo), "http://169.254.170.2/v4/nobody"} {
		if body, err := fetch(inside(baseOne, uri)); err == nil {
			t.Errorf("one reads %s: %s", uri, body)
		} else if !strings.Contains(err.Error(), "unable to get container ID") {
			t.Errorf("one asks %s: %v", uri, err)
		}
	}
	// The machine itself is nobody's container, and from outside there is no way.
	uri, err := url.Parse(endpoint(t, baseTwo))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := fetch("http://" + machineAddress(t) + uri.Path); err == nil && strings.Contains(body, "TaskARN") {
		t.Errorf("the machine's address answers metadata: %s", body)
	}
}

// A task asks for its own protection; a task of no service cannot have one, and is told so in AWS's words.
func TestProtectionIsAskedOfTheAgent(t *testing.T) {
	t.Parallel()
	task := running(t, define(t, peer("main", "tcp:80")))
	base := "http://127.0.0.1:" + hostPort(t, task, "main", 80)
	var api string
	installation.Eventually(t, "the task listens", func(context.Context) (err error) {
		api, err = fetch(base + "/env?name=ECS_AGENT_URI")
		return err
	})
	body, err := fetch(inside(base, api+"/task-protection/v1/state"))
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Failure struct{ Arn, Reason string }
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil || told.Failure.Arn != *task.TaskArn || told.Failure.Reason != "TASK_NOT_VALID" {
		t.Errorf("it is told %s, %v", body, err)
	}
}
