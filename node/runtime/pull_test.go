package runtime

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
)

func TestConcurrentPullsAreShared(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var manifests, blobs atomic.Int32
	n.reg.Username, n.reg.Password = "me", "secret"
	s, err := images.Busybox(v1.Config{Cmd: []string{"/bin/sh"}, StopSignal: "SIGINT", User: "app", WorkingDir: "/tmp"})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := n.reg.Push("app:1", s)
	if err != nil {
		t.Fatal(err)
	}
	n.reg.Watch = func(r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			return
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			blobs.Add(1)
		}
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
			manifests.Add(1)
		}
	}
	if _, err := n.Pull(t.Context(), ref, Pull{}); err == nil || !strings.Contains(err.Error(), "CannotPullImageManifestError") {
		t.Errorf("without credentials: %v", err)
	}
	task := n.task(Task{})
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			img, err := n.Pull(t.Context(), ref, Pull{Username: "me", Password: "secret", TaskID: task})
			if err != nil {
				t.Error(err)
			}
			if img.Ref != ref || !strings.HasPrefix(img.Digest, "sha256:") || img.StopSignal != "SIGINT" || img.User != "app" || img.Compat32 {
				t.Errorf("image %+v", img)
			}
		})
	}
	wg.Wait()
	if m, b := manifests.Load(), blobs.Load(); m > 1 || b > 2 {
		t.Errorf("10 pulls asked for %d manifests and %d blobs", m, b)
	}
}

// A pull that signs in does not get what one that does not was told, nor the other way round.
func TestPullsThatSignInOtherwiseAreNotShared(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.reg.Username, n.reg.Password = "me", "secret"
	s, err := images.Busybox(v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := n.reg.Push("app:1", s)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Bool
	asks, goOn := make(chan struct{}), make(chan struct{})
	n.reg.Watch = func(*http.Request) {
		if asked.CompareAndSwap(false, true) {
			close(asks)
			<-goOn
		}
	}
	refused := make(chan error, 1)
	go func() {
		_, err := n.Pull(t.Context(), ref, Pull{})
		refused <- err
	}()
	<-asks
	login := func(context.Context, bool) (Login, error) { return Login{Username: "me", Password: "secret"}, nil }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := n.Pull(ctx, ref, Pull{Login: login, LoginAs: "me"}); err != nil {
		t.Errorf("signed in: %v", err)
	}
	close(goOn)
	if err := <-refused; err == nil || !strings.Contains(err.Error(), CannotPullImageManifestError) {
		t.Errorf("without signing in: %v", err)
	}
}

func TestPullBehaviours(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	var asked atomic.Int32
	n.reg.Watch = func(r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") && r.Method != http.MethodPut {
			asked.Add(1)
		}
	}
	img := n.busybox()
	pull := func(b Behaviour) (int32, error) {
		asked.Store(0)
		_, err := n.Pull(t.Context(), img.Ref, Pull{Behaviour: b})
		return asked.Load(), err
	}
	for _, c := range []struct {
		b    Behaviour
		asks bool
	}{{PullDefault, true}, {PullAlways, true}, {PullOnce, false}, {PullPreferCached, false}} {
		if got, err := pull(c.b); err != nil || got > 0 != c.asks {
			t.Errorf("%s: asked %d times, %v", c.b, got, err)
		}
	}
	if err := n.reg.Close(); err != nil {
		t.Fatal(err)
	}
	for b, works := range map[Behaviour]bool{PullDefault: true, PullAlways: false, PullOnce: true, PullPreferCached: true} {
		if _, err := pull(b); (err == nil) != works {
			t.Errorf("%s without the registry: %v", b, err)
		}
	}
}

// A 32-bit program runs only when the filter knows its system calls, and then
// needs no image that says so.
func Test32BitProgram(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	const source = "package main\n\nfunc main() { println(\"32\") }\n"
	binary, err := images.Compile(t.Context(), t.TempDir(), "small", source, "386")
	if err != nil {
		t.Skip("no 32-bit compiler:", err)
	}
	spec, err := images.Program(binary, v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := n.reg.Push("small:1", spec)
	if err != nil {
		t.Fatal(err)
	}
	img, err := n.Pull(t.Context(), ref, Pull{})
	if err != nil {
		t.Fatal(err)
	}
	if !img.Compat32 {
		t.Error("the image is not seen to have a 32-bit program")
	}
	task := n.task(Task{})
	run := func(i int, img Image) int {
		c := Container{ID: second(Container{TaskID: task}, i).ID, TaskID: task, Name: filepath.Base(binary), Image: img}
		n.start(c)
		return n.exited(c.ID).ExitCode
	}
	if code := run(1, img); code != 0 {
		t.Errorf("exit code %d", code)
	}
	img.Compat32 = false
	if code := run(2, img); code == 0 {
		t.Error("a filter without 32-bit system calls lets them through")
	}
}
