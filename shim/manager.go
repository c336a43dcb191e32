package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

// manager starts shims; all else is gVisor's.
type manager struct {
	containerdshim.Manager
}

// socketsEnv names the directory of the shims' sockets.
const socketsEnv = "BERTH_SHIM_SOCKETS"

// Start starts the shim and returns when it can be connected to: the socket is made here, and handed over.
func (m manager) Start(ctx context.Context, id string, opts containerdshim.StartOpts) (p containerdshim.BootstrapParams, err error) {
	path, err := socketPath(ctx, opts.Address, id)
	if err != nil {
		return p, err
	}
	socket, err := listen(path)
	if err != nil {
		return p, fmt.Errorf("socket of the shim: %w", err)
	}
	file, err := socket.File()
	if err != nil {
		return p, err
	}
	cmd, err := command(ctx, id, opts)
	if err != nil {
		return p, err
	}
	cmd.ExtraFiles = []*os.File{file}
	socket.SetUnlinkOnClose(false) // it is the shim's
	p = containerdshim.BootstrapParams{Version: 3, Address: "unix://" + path, Protocol: "ttrpc"}
	if err = os.WriteFile("address", []byte(p.Address), 0o600); err == nil { // the shim removes what is named here when it ends
		err = cmd.Start()
	}
	if err != nil {
		return p, errors.Join(err, os.Remove(path))
	}
	if err := containerdshim.AdjustOOMScore(cmd.Process.Pid); err != nil {
		return p, errors.Join(err, cmd.Process.Kill(), os.Remove(path))
	}
	return p, nil
}

// socketPath is short, whatever the id is: it may have 106 bytes.
func socketPath(ctx context.Context, address, id string) (string, error) {
	dir := os.Getenv(socketsEnv)
	if dir == "" {
		return "", errors.New(socketsEnv + " is not set: this shim is started by berth, not by containerd")
	}
	ns, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(filepath.Join(address, ns, "sandbox", id)))
	return filepath.Join(dir, fmt.Sprintf("%x", sum[:16])), nil
}

// listen makes a socket where one that nobody listens on any more may be left.
func listen(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(path, 0o600)
}

// command is the shim itself, without an action.
func command(ctx context.Context, id string, opts containerdshim.StartOpts) (*exec.Cmd, error) {
	ns, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-namespace", ns, "-address", opts.Address, "-id", id) //nolint:noctx // it outlives this process
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}
