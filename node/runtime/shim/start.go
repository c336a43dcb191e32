package shim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	bootapi "github.com/containerd/containerd/api/runtime/bootstrap/v1"
	"google.golang.org/protobuf/proto"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/node/runtime/daemon"
)

// Start starts a shim for the task, which has none that answers, and logs to the file log. Its id is what its socket's name is made from.
func (c Config) Start(ctx context.Context, task, id, log string) (address string, err error) {
	dir := c.Path(task)
	text, _ := os.ReadFile(filepath.Join(dir, AddressFile)) // of one that was killed: it left its socket
	if err := errors.Join(removeSocket(string(text)), furnish(dir, log)); err != nil {
		return "", err
	}
	if address, err = c.run(ctx, dir, id); err != nil {
		return "", err
	}
	failpoint.Hit(failpoint.ShimRuns)
	return address, os.WriteFile(filepath.Join(dir, AddressFile), []byte(address), 0o600)
}

// furnish makes what a shim wants to find where it starts: a bundle's config.json, here without annotations, and a log that
// somebody reads (a FIFO nobody reads would block it).
func furnish(dir, log string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o600); err != nil {
		return err
	}
	link := filepath.Join(dir, "log")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(log, link)
}

func (c Config) run(ctx context.Context, dir, id string) (string, error) {
	params, err := proto.Marshal(&bootapi.BootstrapParams{
		InstanceID:             id,
		Namespace:              c.Namespace,
		LogLevel:               bootapi.LogLevel_LOG_LEVEL_WARN,
		ContainerdGrpcAddress:  c.Address,
		ContainerdTtrpcAddress: c.TTRPC,
		ContainerdBinary:       c.bin("containerd"),
		SocketDir:              &c.SocketDir,
	})
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, c.binary(),
		"-namespace", c.Namespace, "-address", c.Address, "-publish-binary", c.bin("containerd"), "-id", id, "start")
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(params)
	cmd.Env = append(daemon.EnvironWithout("PATH", "GOMAXPROCS", "TTRPC_ADDRESS", "GRPC_ADDRESS", "NAMESPACE"),
		"PATH="+c.BinDir+":"+os.Getenv("PATH"), "GOMAXPROCS=2", "MAX_SHIM_VERSION=2",
		"TTRPC_ADDRESS="+c.TTRPC, "GRPC_ADDRESS="+c.Address, "NAMESPACE="+c.Namespace, "BERTH_SHIM_SOCKETS="+c.SocketDir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := c.spawn(cmd); err != nil {
		return "", fmt.Errorf("start: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	result, err := parse(stdout.Bytes())
	if err != nil {
		return "", fmt.Errorf("start answered no bootstrap result: %w", err)
	}
	if result.Version != APIVersion || result.Protocol != "ttrpc" {
		return "", fmt.Errorf("shim speaks %s version %d; ttrpc version %d is needed", result.Protocol, result.Version, APIVersion)
	}
	return result.Address, nil
}

// parse reads what a start answered: a message, or, as containerd before 2.3 wanted it, JSON.
func parse(answer []byte) (*bootapi.BootstrapResult, error) {
	result := new(bootapi.BootstrapResult)
	if !bytes.HasPrefix(answer, []byte("{")) {
		return result, proto.Unmarshal(answer, result)
	}
	var old struct {
		Version           int32
		Address, Protocol string
	}
	err := json.Unmarshal(answer, &old)
	result.Version, result.Address, result.Protocol = old.Version, old.Address, old.Protocol
	return result, err
}

// spawn runs what starts a shim, and ends when that runs.
func (c Config) spawn(cmd *exec.Cmd) error {
	start := c.Spawn
	if start == nil {
		start = (*exec.Cmd).Start
	}
	if err := start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// Answering is the address of the task's shim, if it is there.
func (c Config) Answering(task string) (address string, ok bool) {
	text, err := os.ReadFile(filepath.Join(c.Path(task), AddressFile))
	if err != nil {
		return "", false
	}
	conn, err := net.Dial("unix", strings.TrimPrefix(string(text), scheme)) //nolint:noctx // a local socket answers at once, or refuses
	if err != nil {
		return "", false
	}
	_ = conn.Close() // a connection
	return string(text), true
}
