package runtime

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
)

func TestUnusedImagesArePruned(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	pull := func(repo string, task string) {
		t.Helper()
		s, err := images.Busybox(v1.Config{Cmd: []string{"/bin/sh"}}, images.File{Path: "/" + repo, Body: []byte(repo)})
		if err != nil {
			t.Fatal(err)
		}
		ref, err := n.reg.Push(repo+":1", s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Pull(t.Context(), ref, Pull{TaskID: task}); err != nil {
			t.Fatal(err)
		}
	}
	prune := func(p Prune) string {
		t.Helper()
		names, err := n.PruneImages(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range names {
			names[i] = strings.TrimPrefix(names[i], n.reg.Host()+"/")
		}
		return strings.Join(names, " ")
	}
	task := n.task(Task{})
	pull("used", task)
	pull("unused", "")
	if got := prune(Prune{MinimumAge: time.Hour, Most: 5}); got != "" {
		t.Errorf("too young: %q", got)
	}
	await(t, "the second in which an image that was just pulled stays", func() bool { return prune(Prune{Most: 5}) == "unused:1" })
	if got := prune(Prune{Most: 5}); got != "" {
		t.Errorf("in use: %q", got)
	}
	if err := n.Release(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	await(t, "the image of a task that went", func() bool { return prune(Prune{Most: 5}) == "used:1" })
	pull("used", "") // it is pulled again
}

// await waits for a condition.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		<-time.After(100 * time.Millisecond)
	}
}
