package runtime

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	goruntime "runtime"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	cdlog "github.com/containerd/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/berth-ecs/berth/node/runtime/ahead"
	"github.com/berth-ecs/berth/node/runtime/cgroup"
	"github.com/berth-ecs/berth/node/runtime/daemon"
	"github.com/berth-ecs/berth/node/runtime/enter"
	"github.com/berth-ecs/berth/node/runtime/flight"
	"github.com/berth-ecs/berth/node/runtime/keyed"
	"github.com/berth-ecs/berth/node/runtime/memo"
	"github.com/berth-ecs/berth/node/runtime/prune"
	"github.com/berth-ecs/berth/node/runtime/registry"
	"github.com/berth-ecs/berth/node/runtime/snapshot"
	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/node/runtime/vigil"
)

const (
	snapshotter = "overlayfs"
	runtimeName = "io.containerd.runc.v2"
	openTimeout = 15 * time.Second
	closeTime   = 20 * time.Second // for what was made ahead; the next process removes the rest

	labelTask = "berth.task" // on containers, leases, sandbox records
	labelName = "berth.name"
	labelStop = "berth.stop-signal"
	labelOut  = "berth.stdout" // where a container's streams lead, for who makes its process anew
	labelErr  = "berth.stderr"
	labelIn   = "berth.stdin"
	labelTTY  = "berth.terminal"
	labelUser = "berth.process" // on leases a pull holds: the Runtime that pulls
)

// ownLabels are this package's on containers; the others are the caller's.
var ownLabels = []string{labelTask, labelName, labelStop, labelOut, labelErr, labelIn, labelTTY}

// Runtime runs containers. Its methods may be called from many goroutines.
type Runtime struct {
	c      Config
	log    *slog.Logger
	daemon *daemon.Daemon // nil: containerd is not ours
	cd     *client.Client
	cg     *cgroup.Hierarchy
	caps   uint64 // this process's capabilities, what it can give
	id     string // of this Runtime: what another one left half done is not its own
	cancel context.CancelFunc

	registries *http.Client

	pulls  flight.Calls[Image]
	flying prune.Flying
	tasks  keyed.Mutex // by task id: shared while a container is made, alone while one goes
	shims  keyed.Mutex // by task id: one starts the shim
	vigil  *vigil.Vigil
	spare  spare
	splits memo.Memo[*split]    // by task: how what its sandbox used is divided
	blanks keyed.Mutex          // see storage.Config
	boxes  *ahead.Pool[boxSize] // nil: no sandbox is made ahead
	unbox  func()               // ends them
	layers snapshot.Cache
	images memo.Memo[Image]      // what was read of them, by digest: it says everything that follows but where the layers lie
	execs  memo.Memo[*execKnown] // by container: what an exec needs
	enter  *enter.Helper         // nil: execs go through containerd

	leasing keyed.Mutex     // by task id: one makes or ends the lease
	leased  memo.Memo[bool] // by task: this process made its lease
}

// Open starts or adopts containerd and returns when it answers.
func Open(ctx context.Context, c Config) (*Runtime, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	log := c.Log.With("component", "runtime")
	if err := daemon.CheckRunc(ctx, c.bin("runc"), c.AllowOldRunc, log); err != nil {
		return nil, err
	}
	cg, err := cgroup.Open("")
	if err == nil {
		err = cg.Tasks("/"+c.Name, goruntime.NumCPU())
	}
	if err != nil {
		return nil, err
	}
	c.spawn = cg.Hold(c.Name).Start
	caps, err := spec.Held()
	if err != nil {
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	quiet()
	r := &Runtime{c: c, log: log, cg: cg, caps: caps, id: rand.Text(), cancel: cancel, registries: registry.Client(registry.Silence)}
	r.images.Most = 1024
	r.vigil = &vigil.Vigil{Answers: r.shimAnswers, End: r.endShim}
	r.spare.wanted = make(chan struct{}, 1)
	if !c.NoEnter {
		r.enter = enter.Find(c.bin("berth-enter"))
	}
	if err := r.connect(ctx, life); err != nil {
		cancel()
		return nil, err
	}
	if c.SpareShim {
		r.keepSpare(life)
	}
	r.keepBoxes(life)
	return r, nil
}

// quiet keeps containerd's client from writing to our standard error: what it
// says there it also answers.
var quiet = sync.OnceFunc(func() { _ = cdlog.SetLevel("fatal") })

func (r *Runtime) connect(ctx, life context.Context) error {
	for _, dir := range []string{r.c.DataDir, r.c.RunDir, r.c.socketDir(), r.c.runcRoot()} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return err
		}
	}
	var err error
	if r.c.Address == "" {
		r.daemon, err = daemon.Open(life, daemon.Config{
			BinDir: r.c.BinDir, DataDir: r.c.DataDir, RunDir: r.c.RunDir,
			Address: r.c.Socket(), TTRPCAddress: r.c.ttrpcAddress(), SocketDir: r.c.socketDir(), Log: r.log,
		})
		if err != nil {
			return err
		}
	}
	r.cd, err = client.New(r.c.Socket(), client.WithDefaultNamespace(r.c.Name), client.WithExtraDialOpts(dialOptions()))
	if err != nil {
		return fmt.Errorf("containerd: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if _, err := r.cd.Version(ctx); err != nil {
		return fmt.Errorf("containerd at %s does not answer: %w", r.c.Socket(), err)
	}
	return r.daemon.Reserve()
}

// dialOptions make a call wait while containerd is away, and come back quickly:
// gRPC's own back-off would leave it unreachable for seconds.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.5, MaxDelay: 250 * time.Millisecond},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.WaitForReady(true)),
	}
}

// Close ends this process's part; containerd and the containers run on.
func (r *Runtime) Close() error {
	r.closeBoxes()
	r.cancel()
	if r.enter != nil {
		r.enter.Close()
	}
	if r.spare.ended != nil {
		<-r.spare.ended
	}
	if r.daemon != nil {
		r.daemon.Wait()
	}
	return r.cd.Close()
}

// Shutdown stops our containerd and every shim. Release the tasks first:
// containers are not stopped by it.
func (r *Runtime) Shutdown(ctx context.Context) error {
	r.closeBoxes()
	err := r.dropSpare(ctx)
	if r.daemon != nil {
		err = errors.Join(err, r.daemon.Stop(ctx))
	}
	err = errors.Join(err, r.c.shims().KillAll(ctx)) // that a process which was killed had begun to start
	if r.c.ShimLogDone != nil {
		err = errors.Join(err, r.c.ShimLogDone(ctx, shimLog))
	}
	cerr := r.Close()
	if r.c.Address == "" && err == nil {
		err = r.cg.Remove("/" + r.c.Name)
	}
	return errors.Join(err, cerr)
}
