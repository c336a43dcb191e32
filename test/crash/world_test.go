package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

const (
	image = "test.local/crash:1"

	// Services that nobody changes.
	witness       = "witness"
	publicWitness = "public-witness"
)

// world is an installation, what was asked of it, and where its gates are.
type world struct {
	*installation.Installation
	t     *testing.T
	api   *ecs.Client // never asks twice: the load decides what to do about a lost answer
	book  *book
	gates string
	// serverLife grows when the server is killed and when it serves again: a call that fails in an even life has no excuse.
	serverLife atomic.Int64
	witnesses  []string // the witness service's tasks
	subnet     string   // of tasks with interfaces
	directory  string   // ARN of the service of Cloud Map
	balancing  *balancing
}

// begin starts an installation with its image, its definitions and its witnesses.
func begin(t *testing.T) *world {
	t.Helper()
	gates := filepath.Join(t.TempDir(), "gates") // made first, removed last: containers write there
	// The audit knows sandboxes by their tasks' ids. Those made ahead have their own: node/runtime tests what their kills leave.
	i := installation.Start(t, installation.Options{Split: true, Settings: []string{"fargate-storage=400", "sandboxes-ahead=0"}})
	w := &world{Installation: i, t: t, book: newBook(), gates: gates}
	w.api = ecs.New(ecs.Options{
		Region: installation.Region, BaseEndpoint: aws.String(i.Endpoint), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(installation.AccessKey, installation.SecretKey, ""),
	})
	w.keepLogs()
	if err := os.Mkdir(w.gates, 0o755); err != nil {
		t.Fatal(err)
	}
	w.Import(t, image)
	for _, d := range w.definitions(t) {
		if _, err := w.api.RegisterTaskDefinition(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if w.subnet, _, err = w.DefaultSubnet(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.makeDirectory(t)
	w.makeBalancer(t)
	w.makeWitnesses(t)
	return w
}

// Import makes the image known to the node.
func (w *world) Import(t *testing.T, ref string) {
	t.Helper()
	spec, err := images.Busybox(v1.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Installation.Import(t.Context(), ref, spec); err != nil {
		t.Fatal(err)
	}
}

// Scripts of the containers. All but the gate end at once when they are asked to. Those with a name of their own write down
// first of all that they run: a container that does so twice was started twice.
const (
	ranScript   = `echo ran >> /gate/ran-$(hostname); `
	serveScript = ranScript + `trap 'exit 0' TERM; mkdir /www; echo alive > /www/index.html; httpd -f -p 80 -h /www & wait`
	idleScript  = `trap 'exit 0' TERM; sleep 1000000 & wait`
	exitScript  = ranScript + `seq 1 20; usleep $WAIT; seq 21 40; exit $CODE`
	gateScript  = ranScript + `read code < /gate/$GATE; exit $code`
)

// Families of the task definitions. Services roll between the first ones.
const (
	webFamily    = "web"    // bridge, a port of the node's choice
	idleFamily   = "idle"   // bridge, no port
	hostFamily   = "host"   // the node's network
	staticFamily = "static" // a port of its own on the node
	exitFamily   = "exit"
	gateFamily   = "gate"
	vpcFamily    = "vpc" // an interface of its own
)

var rolling = []string{webFamily, idleFamily, hostFamily}

func (w *world) definitions(t *testing.T) []*ecs.RegisterTaskDefinitionInput {
	t.Helper()
	port := func(d *ecs.RegisterTaskDefinitionInput, host int32) *ecs.RegisterTaskDefinitionInput {
		d.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(host)}}
		return d
	}
	host := definition(hostFamily, idleScript)
	host.NetworkMode = types.NetworkModeHost
	private := definition(vpcFamily, idleScript)
	private.NetworkMode = types.NetworkModeAwsvpc
	all := []*ecs.RegisterTaskDefinitionInput{
		port(definition(webFamily, serveScript), 0), definition(idleFamily, idleScript), host,
		port(definition(staticFamily, serveScript), freePort(t)), definition(exitFamily, exitScript), definition(gateFamily, gateScript), private, behindDefinition(),
	}
	if w.sandboxes() {
		all = append(all, boxDefinition())
	}
	for _, d := range all {
		d.Volumes = []types.Volume{{Name: aws.String("gates"), Host: &types.HostVolumeProperties{SourcePath: aws.String(w.gates)}}}
		d.ContainerDefinitions[0].MountPoints = []types.MountPoint{{SourceVolume: aws.String("gates"), ContainerPath: aws.String("/gate")}}
	}
	return append(all, fargateDefinitions()...)
}

func definition(family, script string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeBridge,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), Memory: aws.Int32(16), Cpu: 4, StopTimeout: aws.Int32(2),
			EntryPoint: []string{"sh", "-c"}, Command: []string{script},
		}},
	}
}

// makeWitnesses starts what must not be touched until the end: a service of two, one on FARGATE, and a task by itself.
func (w *world) makeWitnesses(t *testing.T) {
	t.Helper()
	_, err := w.api.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(witness), TaskDefinition: aws.String(webFamily), DesiredCount: aws.Int32(2), ServiceRegistries: w.registries(witness),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.book.setService(witness, spec{exists: true, definition: webFamily, desired: 2})
	arn := w.RunRegistered(t, &ecs.RunTaskInput{TaskDefinition: aws.String(webFamily)})
	w.book.setTask(arn, wish{keep: true})
	w.makePublicWitness()
	w.converge("the witnesses")
}

// gated starts tasks that end, with the given codes, when release is called.
func (w *world) gated(codes ...int32) (release func()) {
	w.t.Helper()
	var arns []string
	var gates []*os.File
	for n, code := range codes {
		name := fmt.Sprintf("g%d-%d", time.Now().UnixNano(), n)
		path := filepath.Join(w.gates, name)
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			w.t.Fatal(err)
		}
		gate, err := os.OpenFile(path, os.O_RDWR, 0) // open for both ends: writing never waits
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { _ = gate.Close() })
		gates = append(gates, gate)
		arn := w.RunRegistered(w.t, &ecs.RunTaskInput{TaskDefinition: aws.String(gateFamily), Overrides: environ("GATE", name)})
		w.book.setTask(arn, wish{exit: aws.Int32(code), gated: true})
		arns = append(arns, arn)
	}
	for _, arn := range arns {
		w.AwaitTask(w.t, arn, "RUNNING")
	}
	return func() {
		w.t.Helper()
		for n, gate := range gates {
			if _, err := fmt.Fprintln(gate, codes[n]); err != nil {
				w.t.Fatal(err)
			}
		}
		installation.Eventually(w.t, "the gated tasks' processes end", func(context.Context) error {
			alive := rounds.Inits(w.Name)
			for _, arn := range arns {
				if len(alive[rounds.ShortID(arn)+"-0"]) > 0 {
					return fmt.Errorf("%s still runs", arn)
				}
			}
			return nil
		})
	}
}

// environ overrides the container's environment, given as name, value, name, value.
func environ(pairs ...string) *types.TaskOverride {
	o := types.ContainerOverride{Name: aws.String("main")}
	for i := 0; i < len(pairs); i += 2 {
		o.Environment = append(o.Environment, types.KeyValuePair{Name: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
	}
	return &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{o}}
}

// keepLogs shows the logs of what the node started beside the others, when the test failed. With BERTH_TEST_KEEP everything
// that was written is copied there.
func (w *world) keepLogs() {
	w.t.Helper()
	w.t.Cleanup(func() {
		if !w.t.Failed() {
			return
		}
		for _, name := range []string{"containerd.log", "hold.log"} {
			text, _ := os.ReadFile(filepath.Join(w.DataDir, name)) // it may be gone by now
			lines := strings.Split(string(text), "\n")
			w.t.Logf("%s:\n%s", name, strings.Join(lines[max(0, len(lines)-40):], "\n"))
		}
		dir := os.Getenv("BERTH_TEST_KEEP")
		if dir == "" {
			return
		}
		w.confess(dir)
		for _, name := range []string{"containerd.log", "hold.log", "server.log", "node.log", "logs"} {
			if err := copyAll(filepath.Join(dir, name), filepath.Join(w.DataDir, name)); err != nil {
				w.t.Log(err)
			}
		}
	})
}

// confess keeps what the node says of its tasks, and has it and its containerd write to their logs what they are at.
func (w *world) confess(dir string) {
	ctx := context.WithoutCancel(w.t.Context())
	if err := errors.Join(w.saveTasks(ctx, dir), w.Stacks(ctx)); err != nil {
		w.t.Log(err)
	}
}

func (w *world) saveTasks(ctx context.Context, dir string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Introspection+"/v1/tasks", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "tasks.json"), text, 0o600))
}

// copyAll copies a file or a tree.
func copyAll(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return os.CopyFS(to, os.DirFS(from))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
