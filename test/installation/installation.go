package installation

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/test/images"
)

// Keys and place of every test's region.
const (
	AccessKey = "AKIATESTTESTTESTTEST"
	SecretKey = "test-secret-key-test-secret-key-test-sec"
	Region    = "us-east-1"
	Account   = "000000000000"
)

// Options of an installation.
type Options struct {
	// Split runs the server and the node as two processes; otherwise it is `berth up`.
	Split bool
	// DataDir is a directory for the data that is there already; the caller removes it. Empty: one is made.
	DataDir string
	// Alone runs the server without a node: no container starts, and no root is needed.
	Alone bool
	// Settings are further settings, "name=value".
	Settings []string
}

// Installation is a running berth.
type Installation struct {
	Name     string
	RunDir   string
	DataDir  string
	BinDir   string
	Endpoint string
	// DNS is where the server answers the region's names.
	DNS string
	// Introspection is the address of the node's introspection API.
	Introspection string
	// PublicPool is where its public addresses are from: no other installation's.
	PublicPool netip.Prefix
	ECS        *ecs.Client

	options   Options
	env       []string
	processes map[Role]*process
}

// Start starts an installation and waits until it is ready. It ends with the test.
func Start(t testing.TB, o Options) *Installation {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces, links and containers")
	}
	i, err := Open(t.Context(), o)
	if i != nil {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the end of its log:\n%s", i.LastLog(60))
			}
			if err := i.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Open is Start for a TestMain. When it answers an Installation, Close it, also after an error.
func Open(ctx context.Context, o Options) (*Installation, error) {
	exe, err := Program(ctx)
	if err != nil {
		return nil, err
	}
	i, err := describe(o)
	if err != nil {
		return nil, err
	}
	for _, r := range i.roles() {
		i.processes[r] = &process{exe: exe, args: r.args(), env: i.env, log: filepath.Join(i.DataDir, string(r)+".log")}
		if err := i.Begin(r); err != nil {
			return i, err
		}
	}
	return i, i.Ready(ctx)
}

// describe chooses what is this installation's own.
func describe(o Options) (*Installation, error) {
	var b [3]byte
	_, _ = rand.Read(b[:])
	name := "t" + hex.EncodeToString(b[:])
	octet, err := claim()
	if err != nil {
		return nil, err
	}
	data := o.DataDir
	if data == "" {
		if data, err = os.MkdirTemp("", name+"-"); err != nil {
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	introspection, err := freePort()
	if err != nil {
		return nil, err
	}
	names, err := freePort()
	if err != nil {
		return nil, err
	}
	i := &Installation{
		Name: name, RunDir: "/run/" + name, DataDir: data, BinDir: binDir(),
		Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), options: o, processes: make(map[Role]*process),
		DNS: fmt.Sprintf("127.0.0.1:%d", names), Introspection: fmt.Sprintf("127.0.0.1:%d", introspection), PublicPool: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 19, octet, 0}), 24),
	}
	i.env = append(os.Environ(), settings(append([]string{
		"name=" + name, "run-dir=" + i.RunDir, "data-dir=" + data, "bin-dir=" + i.BinDir,
		fmt.Sprintf("listen=127.0.0.1:%d", port), "dns-listen=" + i.DNS, fmt.Sprintf("introspection=:%d", introspection), "region=" + Region, "account=" + Account,
		"access-key=" + AccessKey, "secret-key=" + SecretKey,
		fmt.Sprintf("bridge-subnet=10.213.%d.0/24", octet), "public-pool=" + i.PublicPool.String(),
		"fargate-storage=100000", // the tests' tasks write little, and a small disk should do
	}, o.Settings...))...)
	i.ECS = ecs.New(ecs.Options{
		Region: Region, BaseEndpoint: aws.String(i.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
	return i, nil
}

func binDir() string {
	if dir := os.Getenv("BERTH_BIN_DIR"); dir != "" {
		return dir
	}
	return "/opt/berth/bin"
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Ready waits until the region says that it is ready.
func (i *Installation) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	page := health.Page(i.Endpoint)
	for {
		ok, doing := page.Ready(ctx)
		if ok {
			break
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("the region is not ready, it is %s:\n%s", doing, i.LastLog(30))
		}
	}
	if i.options.Alone {
		return nil
	}
	return i.connected(ctx)
}

// connected waits until the node's agent has its control session.
func (i *Installation) connected(ctx context.Context) error {
	for {
		out, err := i.ECS.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
		if err == nil && len(out.ContainerInstanceArns) > 0 {
			return nil
		}
		if e := pause(ctx, 20*time.Millisecond); e != nil {
			return fmt.Errorf("no container instance is connected (%w):\n%s", err, i.LastLog(30))
		}
	}
}

// pause waits between two looks at a condition of the outside world.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Import puts an image into the node's image store.
func (i *Installation) Import(ctx context.Context, ref string, s images.Spec) error {
	return images.Store{
		Ctr: filepath.Join(i.BinDir, "ctr"), Address: filepath.Join(i.RunDir, "containerd.sock"), Namespace: i.Name,
	}.Import(ctx, ref, s)
}

// Command is the program with this installation's settings.
func (i *Installation) Command(ctx context.Context, args ...string) *exec.Cmd {
	exe, _ := Program(ctx) // built already
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = i.env
	return cmd
}

// Environ is what a shell needs to use this region, and to call berth for it.
func (i *Installation) Environ() []string { return i.env }

// Close ends everything of the installation.
func (i *Installation) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // hundreds of tasks on a busy machine take their time
	defer cancel()
	for _, r := range i.roles() {
		i.processes[r].kill()
	}
	if out, err := i.Command(ctx, "down", "--purge").CombinedOutput(); err != nil {
		return fmt.Errorf("berth down: %w\n%s", err, out)
	}
	return os.RemoveAll(i.DataDir)
}
