// Package fargate follows the packets of FARGATE tasks out of their VPC and in, on gVisor and on runc: two installations, whose public pools are
// routed to the machine, and a namespace that plays another machine of its network.
package fargate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const peerImage = "test.local/peer:1"

var binary string // of the program in ../peer

func TestMain(m *testing.M) {
	code, err := withPeer(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withPeer(m *testing.M) (int, error) {
	if os.Geteuid() != 0 {
		fmt.Println("skipped: needs root")
		return 0, nil
	}
	defer installation.Discard()
	dir, err := os.MkdirTemp("", "peer-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "peer")
	cmd := exec.Command("go", "build", "-o", binary, "../peer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build peer: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// world is an installation with its default VPC.
type world struct {
	testing.TB
	berth       *installation.Installation
	ec2         *ec2.Client
	subnet, vpc string // public, in the node's zone
	group       string // lets port 80 in from anywhere
	definition  string // of a task that answers "peer" on ports 80 and 81
}

// TestFargate runs each test in a world of each runtime, one after the other there.
func TestFargate(t *testing.T) {
	tests := []struct {
		name string
		run  func(*world)
	}{
		{"checked by the server", checkedByTheServer}, // before the group lets in more
		{"the way out and in", wayOutAndIn},
		{"as AWS shows it", asShown},
		{"addresses come back", addressesComeBack}, // takes every public address
	}
	for _, runtime := range []string{"runsc", "runc"} {
		t.Run(runtime, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(binDir(), "runsc")); runtime == "runsc" && err != nil {
				t.Skip("no gVisor: make sandbox installs it")
			}
			w := open(t, "fargate-runtime="+runtime, "public-pool-routed=true")
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					in := *w
					in.TB = t
					test.run(&in)
				})
			}
		})
	}
}

func binDir() string {
	if dir := os.Getenv("BERTH_BIN_DIR"); dir != "" {
		return dir
	}
	return "/opt/berth/bin"
}

func open(t testing.TB, settings ...string) *world {
	t.Helper()
	w := &world{TB: t, berth: installation.Start(t, installation.Options{Settings: settings})}
	w.ec2 = w.berth.EC2()
	w.load()
	var err error
	if w.subnet, w.vpc, err = w.berth.DefaultSubnet(t.Context()); err != nil {
		t.Fatal(err)
	}
	n, err := w.berth.Private(t.Context(), "open")
	if err != nil {
		t.Fatal(err)
	}
	w.group = n.AwsvpcConfiguration.SecurityGroups[0]
	return w
}

// load brings the image to the node and registers its definition.
func (w *world) load() {
	w.Helper()
	spec, err := images.Program(binary, v1.Config{})
	if err == nil {
		err = w.berth.Import(w.Context(), peerImage, spec)
	}
	if err != nil {
		w.Fatal(err)
	}
	d, err := w.berth.ECS.RegisterTaskDefinition(w.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("peer"), NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		Cpu: aws.String("256"), Memory: aws.String("512"), ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("peer"), Image: aws.String(peerImage), Command: []string{"tcp:80", "tcp:81"},
			Environment: []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: aws.String("peer")}},
		}},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.definition = aws.ToString(d.TaskDefinition.TaskDefinitionArn)
}

// task is a FARGATE task, with what the tests look at.
type task struct {
	types.Task
	eni     ec2types.NetworkInterface
	private string // address
	public  string // address, "" for none
}

func (w *world) begin(subnet string, public types.AssignPublicIp) string {
	w.Helper()
	return w.berth.RunRegistered(w, w.wish(subnet, public))
}

func (w *world) stop(arn *string) {
	w.Helper()
	if _, err := w.berth.ECS.StopTask(w.Context(), &ecs.StopTaskInput{Task: arn}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) running(arn string) task {
	w.Helper()
	out := task{Task: w.berth.AwaitTask(w, arn, "RUNNING")}
	out.eni = w.interfaceOf(out.Task)
	out.private = aws.ToString(out.eni.PrivateIpAddress)
	if a := out.eni.Association; a != nil {
		out.public = aws.ToString(a.PublicIp)
	}
	return out
}

func detail(t types.Task, name string) string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == name {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}

func (w *world) interfaceOf(t types.Task) ec2types.NetworkInterface {
	w.Helper()
	out, err := w.ec2.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{detail(t, "networkInterfaceId")}})
	if err != nil || len(out.NetworkInterfaces) != 1 {
		w.Fatalf("%v, %v", out, err)
	}
	return out.NetworkInterfaces[0]
}

// web asks over connections of their own: one that is kept would outlive what a test takes away.
var web = http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func get(client *http.Client, url string) (string, error) {
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.300s", url, r.Status, body)
	}
	return string(body), err
}

// through is the URL at which what serves base tells what target answers it.
func through(base, target string) string { return base + "/get?url=" + url.QueryEscape(target) }

func (w *world) answers(client *http.Client, what, url, want string) {
	w.Helper()
	installation.Eventually(w, what, func(context.Context) error {
		got, err := get(client, url)
		if err == nil && got != want {
			err = fmt.Errorf("%s answers %q, want %q", url, got, want)
		}
		return err
	})
}

// question is one that must get no answer.
type question struct {
	what   string
	client *http.Client
	url    string
}

// silent asks all questions at once: silence takes its time.
func (w *world) silent(questions ...question) {
	w.Helper()
	var asked sync.WaitGroup
	for _, q := range questions {
		asked.Go(func() {
			if got, err := get(q.client, q.url); err == nil {
				w.Errorf("%s: %s answers %q", q.what, q.url, got)
			}
		})
	}
	asked.Wait()
}

// becomesSilent waits until a question that was answered is not any more.
func (w *world) becomesSilent(q question) {
	w.Helper()
	installation.Eventually(w, q.what, func(context.Context) error {
		if got, err := get(q.client, q.url); err == nil {
			return fmt.Errorf("%s answers %q", q.url, got)
		}
		return nil
	})
}
