package sample

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestWriteImage(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "program")
	if err := os.WriteFile(exe, []byte("a static program"), 0o755); err != nil {
		t.Fatal(err)
	}
	var digests []string
	for _, path := range []string{filepath.Join(dir, "1.tar"), filepath.Join(dir, "2.tar")} {
		if err := WriteImage(exe, path); err != nil {
			t.Fatal(err)
		}
		tag, err := name.NewTag(ImageName)
		if err != nil {
			t.Fatal(err)
		}
		image, err := tarball.ImageFromPath(path, &tag)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/web"}, config.Config.Entrypoint); diff != "" {
			t.Error(diff)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	if digests[0] != digests[1] {
		t.Errorf("one program, two digests: %q", digests)
	}
}

func TestWriteImageRefusesWhatCannotRunAlone(t *testing.T) {
	err := WriteImage("/bin/bash", filepath.Join(t.TempDir(), "x.tar"))
	if err == nil || !strings.Contains(err.Error(), "dynamically linked") {
		t.Errorf("err = %v", err)
	}
}

// region is an ECS whose only service is stable at once, or never.
type region struct {
	webURL   *url.URL
	exists   bool
	unstable bool
	calls    []string
}

func (r *region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	r.calls = append(r.calls, op)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	answer := r.answer(op)
	if answer == nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": "ClientException", "message": "Unable to describe task definition."}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (r *region) answer(op string) any {
	port, _ := strconv.Atoi(r.webURL.Port())
	switch op {
	case "DescribeTaskDefinition":
		if !r.exists {
			return nil
		}
		return map[string]any{}
	case "CreateService":
		r.exists = true
		return map[string]any{}
	case "DescribeServices":
		if !r.exists {
			return map[string]any{"failures": []any{map[string]any{"reason": "MISSING"}}}
		}
		status := "ACTIVE"
		if r.unstable {
			status = "INACTIVE"
		}
		return map[string]any{"services": []any{map[string]any{
			"status": status, "desiredCount": 2, "runningCount": 2, "deployments": []any{map[string]any{"id": "ecs-svc/1"}},
			"events": []any{map[string]any{"message": "(service berth-sample) was unable to place a task"}},
		}}}
	case "ListTasks":
		if r.unstable {
			return map[string]any{"taskArns": []string{"arn:aws:ecs:us-east-1:000000000000:task/default/7"}}
		}
		return map[string]any{"taskArns": []string{"arn"}}
	case "DescribeTasks":
		if r.unstable {
			return map[string]any{"tasks": []any{map[string]any{"taskArn": "task/7", "stoppedReason": "Essential container in task exited", "containers": []any{
				map[string]any{"name": "web", "exitCode": 127, "reason": "no such file"},
			}}}}
		}
		return map[string]any{"tasks": []any{map[string]any{"lastStatus": "RUNNING", "containers": []any{map[string]any{
			"networkBindings": []any{map[string]any{"containerPort": 8080, "hostPort": port}},
		}}}}}
	}
	return map[string]any{}
}

func newRegion(t *testing.T) (*region, Sample, *bytes.Buffer) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello from task 1\n") }))
	t.Cleanup(web.Close)
	webURL, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := &region{webURL: webURL}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	api := ecs.New(ecs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		})})
	return r, Sample{API: api, Cluster: "default", Load: func(context.Context, string) error { return nil }, Out: &out}, &out
}

func TestRun(t *testing.T) {
	r, s, out := newRegion(t)
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got != r.webURL.String()+"/" || !strings.Contains(out.String(), "hello from task 1") {
		t.Errorf("URL %q, want %q; output\n%s", got, r.webURL, out)
	}
	made := strings.Join(r.calls, " ")
	if !strings.Contains(made, "RegisterTaskDefinition") || !strings.Contains(made, "CreateService") {
		t.Errorf("calls: %s", made)
	}
	r.calls = nil
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := strings.Join(r.calls, " ")
	if strings.Contains(again, "Register") || strings.Contains(again, "Create") {
		t.Errorf("a second run makes things again: %s", again)
	}
}

func TestRunSaysWhatECSSays(t *testing.T) {
	r, s, _ := newRegion(t)
	r.unstable = true
	_, err := s.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "waiting") || !strings.Contains(err.Error(), "ECS says: (service berth-sample) was unable to place a task") ||
		!strings.Contains(err.Error(), "task/7 stopped: Essential container in task exited; web: exit code 127 no such file") {
		t.Errorf("err = %v", err)
	}
}
