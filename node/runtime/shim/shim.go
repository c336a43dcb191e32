// Package shim starts, finds and ends the shims of runc and of gVisor's sandboxes, each in a directory of its own.
//
// What is guaranteed:
//
//   - A shim belongs to the task that its directory is named after, whatever it was started as: renaming the directory gives
//     it to another task, all at once.
//   - Which shims run is read from the kernel: one that a killed process had half started is found, and can be ended.
package shim

import (
	"os/exec"
	"path/filepath"
	"time"
)

// APIVersion of the shims' task service.
const APIVersion = 3

const (
	stopTimeout = 10 * time.Second // what a shim may take to end that was asked to
	killTime    = time.Minute      // and one that was killed, on a machine that is busy
	scheme      = "unix://"

	// AddressFile is in a shim's directory once it answers.
	AddressFile = "address"
)

// Config says which shims are an installation's.
type Config struct {
	Namespace string // required: containerd's
	BinDir    string // required: holds the shim and containerd
	Dir       string // required: the shims' directories lie in it
	SocketDir string // required
	Address   string // required: containerd's gRPC socket
	TTRPC     string // required: containerd's ttrpc socket

	// Sandboxes says that the shims to start are those of sandboxes. Both kinds are found and ended. Optional.
	Sandboxes bool

	// Spawn starts a shim; optional: nil is cmd.Start.
	Spawn func(*exec.Cmd) error
}

// Path of the directory of a task's shim.
func (c Config) Path(task string) string { return filepath.Join(c.Dir, task) }

func (c Config) bin(name string) string { return filepath.Join(c.BinDir, name) }

// The programs of the two kinds.
const (
	Runc    = "containerd-shim-runc-v2"
	Sandbox = "containerd-shim-berth-v1"
)

func (c Config) binary() string {
	if c.Sandboxes {
		return c.bin(Sandbox)
	}
	return c.bin(Runc)
}
