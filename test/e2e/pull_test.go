package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
)

// Five tasks at once that need an image fetch each of its blobs once.
func TestPullsOfOneImageAreShared(t *testing.T) {
	t.Parallel()
	registry, err := images.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	var mu sync.Mutex
	fetched := map[string]int{}
	registry.Watch = func(r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			mu.Lock()
			defer mu.Unlock()
			fetched[id(r.URL.Path)]++
		}
	}
	spec, err := images.Busybox(v1.Config{}, images.File{Path: "/only-here", Body: []byte(t.Name())})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := registry.Push("shared:1", spec)
	if err != nil {
		t.Fatal(err)
	}
	c := script("main", "cat /only-here")
	c.Image = &ref
	out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, define(t, c))), Count: aws.Int32(5)})
	if err != nil || len(out.Tasks) != 5 {
		t.Fatalf("%v, failures %+v", err, out.Failures)
	}
	for _, task := range out.Tasks {
		region.AwaitTask(t, *task.TaskArn, "STOPPED")
		equal(t, "output", strings.TrimSpace(output(t, *task.TaskArn, "main")), t.Name())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(fetched) < 2 { // the layer of busybox itself may be there already
		t.Errorf("blobs fetched: %v, want at least a configuration and a layer", fetched)
	}
	for blob, n := range fetched {
		equal(t, "fetches of "+blob, n, 1)
	}
}

// A tag that moved: the next task has the new image, and says so.
func TestTagThatMovesIsResolvedAnew(t *testing.T) {
	t.Parallel()
	registry, err := images.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = registry.Close() })
	c := types.ContainerDefinition{Name: aws.String("main"), Memory: aws.Int32(32), Command: []string{"cat", "/version"}}
	digests := map[string]bool{}
	for _, version := range []string{"one", "two"} {
		spec, err := images.Busybox(v1.Config{}, images.File{Path: "/version", Body: []byte(version)})
		if err != nil {
			t.Fatal(err)
		}
		ref, err := registry.Push("moving:latest", spec)
		if err != nil {
			t.Fatal(err)
		}
		c.Image = &ref
		task := finished(t, define(t, c))
		equal(t, "version", strings.TrimSpace(output(t, *task.TaskArn, "main")), version)
		digests[aws.ToString(containerOf(t, task, "main").ImageDigest)] = true
	}
	equal(t, "digests", len(digests), 2)
}
