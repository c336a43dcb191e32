package sample

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
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
	exists   bool
	unstable bool
	launch   string // what the service runs as
	removed  bool
	able     bool   // it has a node with a proxy
	behind   string // the call that said what the service is behind
	calls    []string
}

func (r *region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	r.calls = append(r.calls, op)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	body, _ := io.ReadAll(req.Body)
	answer := r.answer(op, string(body))
	if answer == nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"__type": "ClientException", "message": "Unable to describe task definition."}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (r *region) answer(op, body string) any {
	switch op {
	case "DescribeTaskDefinition":
		if !r.exists {
			return nil
		}
		return map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": "arn:2", "requiresCompatibilities": []string{"EC2", "FARGATE"}}}
	case "RegisterTaskDefinition":
		return map[string]any{"taskDefinition": map[string]any{"taskDefinitionArn": "arn:2"}}
	case "RunTask":
		return map[string]any{"tasks": []any{map[string]any{"taskArn": "arn:asks"}}}
	case "ListContainerInstances":
		if r.able && strings.Contains(body, "attribute:berth.proxy exists") {
			return map[string]any{"containerInstanceArns": []string{"arn:1"}}
		}
	case "UpdateService":
		r.behind = body
	case "CreateService":
		r.behind = body
		r.exists, r.removed, r.launch = true, false, "EC2"
		if strings.Contains(body, "FARGATE") {
			r.launch = "FARGATE"
		}
		return map[string]any{}
	case "DeleteService":
		r.removed = true
		return map[string]any{}
	case "DescribeServices":
		if !r.exists {
			return map[string]any{"failures": []any{map[string]any{"reason": "MISSING"}}}
		}
		status := "ACTIVE"
		if r.unstable || r.removed {
			status = "INACTIVE"
		}
		return map[string]any{"services": []any{map[string]any{
			"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{"subnets": []string{"subnet-1"}, "securityGroups": []string{"sg-1"}}},
			"launchType":           r.launch, "taskDefinition": "arn:2",
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
		if strings.Contains(body, "arn:asks") {
			return map[string]any{"tasks": []any{map[string]any{"taskArn": "arn:asks", "lastStatus": "STOPPED"}}}
		}
		return map[string]any{"tasks": []any{map[string]any{"lastStatus": "RUNNING", "containers": []any{map[string]any{
			"networkInterfaces": []any{map[string]any{"privateIpv4Address": "172.31.0.9"}},
		}}}}}
	}
	return map[string]any{}
}

// ec2 has a default subnet, and the sample's group once it was made.
func (r *region) ec2(_ context.Context, action string, q url.Values) ([]byte, error) {
	r.calls = append(r.calls, action)
	switch action {
	case "DescribeSubnets":
		return []byte("<R><subnetSet><item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId></item></subnetSet></R>"), nil
	case "DescribeNetworkInterfaces":
		if q.Get("Filter.1.Value.1") != "ELB app/berth-sample/1" {
			return []byte("<R/>"), nil
		}
		return []byte("<R><networkInterfaceSet><item><association><publicIp>198.18.0.7</publicIp></association></item></networkInterfaceSet></R>"), nil
	case "DescribeSecurityGroups":
		if r.exists {
			return []byte("<R><securityGroupInfo><item><groupId>sg-1</groupId></item></securityGroupInfo></R>"), nil
		}
		return []byte("<R/>"), nil
	case "AuthorizeSecurityGroupIngress":
		if r.exists {
			return nil, errors.New("EC2 answers 400: InvalidPermission.Duplicate")
		}
		return []byte("<R/>"), nil
	}
	return []byte("<R><groupId>sg-1</groupId></R>"), nil
}

func newRegion(t *testing.T) (*region, *Sample, *bytes.Buffer) {
	t.Helper()
	r := &region{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	api := ecs.New(ecs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.CredentialsProviderFunc(
		func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
		})})
	return r, &Sample{
		API: api, EC2: r.ec2, Cluster: "default", Launch: types.LaunchTypeEc2, Load: func(context.Context, string) error { return nil }, Out: &out,
		Log: func(_ context.Context, task string, w io.Writer) error {
			_, err := io.WriteString(w, "hello from task 1, asked by "+task)
			return err
		},
	}, &out
}

func TestRun(t *testing.T) {
	r, s, out := newRegion(t)
	got, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got != "http://172.31.0.9:8080/" || !strings.Contains(out.String(), "hello from task 1, asked by arn:asks") {
		t.Errorf("URL %q; output\n%s", got, out)
	}
	made := strings.Join(r.calls, " ")
	if !strings.Contains(made, "CreateSecurityGroup") || !strings.Contains(made, "RegisterTaskDefinition") || !strings.Contains(made, "CreateService") {
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

// The launch type of a service cannot be changed: another one takes its place.
func TestRunAsTheOtherLaunchType(t *testing.T) {
	r, s, out := newRegion(t)
	for _, launch := range []types.LaunchType{types.LaunchTypeEc2, types.LaunchTypeFargate, types.LaunchTypeEc2} {
		r.calls, s.Launch = nil, launch
		if _, err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.launch != string(launch) || !strings.Contains(out.String(), "2 replicas on "+r.launch) {
			t.Errorf("it runs as %s; want %s\n%s", r.launch, launch, out)
		}
		if calls := strings.Join(r.calls, " "); launch == types.LaunchTypeFargate && !strings.Contains(calls, "DeleteService DescribeServices CreateService") {
			t.Errorf("calls: %s", calls)
		}
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
