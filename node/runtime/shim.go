package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	shimapi "github.com/containerd/containerd/api/runtime/task/v3"
	"github.com/containerd/ttrpc"
	"google.golang.org/protobuf/proto"

	"github.com/berth-ecs/berth/node/runtime/daemon"
)

const (
	shimAPIVersion  = 3
	shimStopTimeout = 3 * time.Second
	socketScheme    = "unix://"

	addressFile = "address" // in a shim's directory, once it answers
	shimLogID   = "shims"   // all shims write one log: they say little, and outlive what they were started for
)

// ensureShim answers the address of the task's shim; when there is none it takes
// the spare one, or starts one. Containers that are made later join it, which is what makes their start
// short. A shim ends with its last container.
func (r *Runtime) ensureShim(ctx context.Context, task string) (address string, err error) {
	dir := r.c.shimDir(task)
	if address, ok := answering(dir); ok {
		return address, nil
	}
	if address, ok := r.takeSpare(task); ok {
		return address, nil
	}
	if address, err = r.newShim(ctx, dir, task); err != nil {
		return "", fmt.Errorf("shim of task %s: %w", task, err)
	}
	return address, nil
}

// newShim starts a shim in dir. Its id is what its socket's name is made from.
func (r *Runtime) newShim(ctx context.Context, dir, id string) (address string, err error) {
	if err := r.shimDirectory(ctx, dir); err != nil {
		return "", err
	}
	if address, err = r.startShim(ctx, dir, id); err != nil {
		return "", err
	}
	return address, os.WriteFile(filepath.Join(dir, addressFile), []byte(address), 0o600)
}

// shimDirectory makes what a shim wants to find where it starts: a bundle's
// config.json, here without annotations, and a log that somebody reads (a FIFO
// nobody reads would block it).
func (r *Runtime) shimDirectory(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o600); err != nil {
		return err
	}
	target := os.DevNull
	if r.c.ShimLog != nil {
		var err error
		if target, err = r.c.ShimLog(ctx, shimLogID); err != nil {
			return err
		}
	}
	link := filepath.Join(dir, "log")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(target, link)
}

func (r *Runtime) startShim(ctx context.Context, dir, id string) (string, error) {
	socketDir := r.c.socketDir()
	params, err := proto.Marshal(&bootapi.BootstrapParams{
		InstanceID:             id,
		Namespace:              r.c.Name,
		LogLevel:               bootapi.LogLevel_LOG_LEVEL_WARN,
		ContainerdGrpcAddress:  r.c.address(),
		ContainerdTtrpcAddress: r.c.ttrpcAddress(),
		ContainerdBinary:       r.c.bin("containerd"),
		SocketDir:              &socketDir,
	})
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, r.c.bin("containerd-shim-runc-v2"),
		"-namespace", r.c.Name, "-address", r.c.address(), "-publish-binary", r.c.bin("containerd"), "-id", id, "start")
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(params)
	cmd.Env = append(daemon.EnvironWithout("PATH", "GOMAXPROCS", "TTRPC_ADDRESS", "GRPC_ADDRESS", "NAMESPACE"),
		"PATH="+r.c.BinDir+":"+os.Getenv("PATH"), "GOMAXPROCS=2", "MAX_SHIM_VERSION=2",
		"TTRPC_ADDRESS="+r.c.ttrpcAddress(), "GRPC_ADDRESS="+r.c.address(), "NAMESPACE="+r.c.Name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("start: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var result bootapi.BootstrapResult
	if err := proto.Unmarshal(out, &result); err != nil {
		return "", fmt.Errorf("start answered no bootstrap result: %w", err)
	}
	if result.Version != shimAPIVersion || result.Protocol != "ttrpc" {
		return "", fmt.Errorf("shim speaks %s version %d; ttrpc version %d is needed", result.Protocol, result.Version, shimAPIVersion)
	}
	return result.Address, nil
}

// answering is the address of the shim that works in dir, if it is there.
func answering(dir string) (address string, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	return string(text), err == nil && shimAnswers(string(text))
}

func shimAnswers(address string) bool {
	conn, err := net.Dial("unix", strings.TrimPrefix(address, socketScheme)) //nolint:noctx // a local socket answers at once, or refuses
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// stopShim ends the task's (or the spare) shim, which must have no containers left.
func (r *Runtime) stopShim(ctx context.Context, task string) error {
	dir := r.c.shimDir(task)
	text, err := os.ReadFile(filepath.Join(dir, addressFile))
	switch _, begun := os.Lstat(dir); {
	case err == nil && shimAnswers(string(text)):
		err = r.shutShim(ctx, task, string(text))
	case begun == nil:
		// We may have been killed between its start and the note of where it listens.
		err = errors.Join(r.killShims(task), removeSocket(string(text)))
	default:
		err = nil
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

func (r *Runtime) shutShim(ctx context.Context, task, address string) error {
	socket := strings.TrimPrefix(address, socketScheme)
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err == nil {
		if err := askShimToEnd(ctx, conn, task); err != nil {
			return fmt.Errorf("shim of task %s: %w", task, err)
		}
	}
	return removeSocket(address)
}

// removeSocket removes what a shim listened on; "" is nothing.
func removeSocket(address string) error {
	if address == "" {
		return nil
	}
	if err := os.Remove(strings.TrimPrefix(address, socketScheme)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func askShimToEnd(ctx context.Context, conn net.Conn, task string) error {
	c := ttrpc.NewClient(conn)
	defer func() { _ = c.Close() }() // a connection
	ctx, cancel := context.WithTimeout(ctx, shimStopTimeout)
	defer cancel()
	api := shimapi.NewTTRPCTaskClient(c)
	info, err := api.Connect(ctx, &shimapi.ConnectRequest{ID: task})
	if err != nil {
		if errors.Is(err, ttrpc.ErrClosed) {
			return nil // it was ending already
		}
		return err
	}
	p, err := daemon.OpenProcess(int(info.ShimPid))
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // a handle
	_, err = api.Shutdown(ctx, &shimapi.ShutdownRequest{ID: task, Now: true})
	if err == nil || errors.Is(err, ttrpc.ErrClosed) {
		err = p.Wait(ctx)
	}
	if err == nil {
		return nil
	}
	if kerr := p.Signal(syscall.SIGKILL); kerr != nil && !errors.Is(kerr, syscall.ESRCH) {
		return errors.Join(err, kerr)
	}
	return nil
}
