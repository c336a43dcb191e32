package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/berth-ecs/berth/node/runtime/shim"
)

// Config says where an installation's runtime lives.
type Config struct {
	Name         string       // required: installation; also containerd's namespace and the cgroup parent
	BinDir       string       // required: holds containerd, containerd-shim-runc-v2 and runc
	DataDir      string       // required: what outlives a reboot
	RunDir       string       // required: sockets and state; short, socket paths hold 106 bytes
	Address      string       // optional: a containerd not ours to start; empty starts and supervises one
	AllowOldRunc bool         // optional: accept a runc with known escapes
	TaskPids     int64        // optional: processes and threads that a task may have; 0 is no limit
	Log          *slog.Logger // optional

	// NoEnter makes every exec go through containerd, also when BinDir has
	// berth-enter. Optional.
	NoEnter bool

	// SpareShim keeps one shim running for the next task. Optional.
	SpareShim bool

	// SpareSandboxes is how many sandboxes are kept ready for the next tasks, once a task wanted one. Optional.
	SpareSandboxes int

	// ShimLog gives the FIFO that shims log to; something that outlives this
	// process holds its reading end (hold.Client.Log). Optional: nil drops the
	// shims' log.
	ShimLog func(ctx context.Context, id string) (path string, err error)
	// ShimLogDone ends what ShimLog began, at Shutdown. Optional.
	ShimLogDone func(ctx context.Context, id string) error

	spawn func(*exec.Cmd) error // of shims; set by Open
}

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9]{0,7}$`)

// maxSocketDir is what containerd allows for the shims' socket directory.
const maxSocketDir = 42

func (c Config) check() error {
	if !nameRule.MatchString(c.Name) {
		return fmt.Errorf("runtime: Config.Name %q must be 1 to 8 of a-z and 0-9, beginning with a letter", c.Name)
	}
	for _, d := range []struct{ field, dir string }{{"BinDir", c.BinDir}, {"DataDir", c.DataDir}, {"RunDir", c.RunDir}} {
		if !filepath.IsAbs(d.dir) {
			return fmt.Errorf("runtime: Config.%s %q must be an absolute path", d.field, d.dir)
		}
	}
	if n := len(c.socketDir()); n > maxSocketDir {
		return fmt.Errorf("runtime: Config.RunDir %q is too long: the shims' socket directory in it may have %d bytes, it has %d", c.RunDir, maxSocketDir, n)
	}
	return nil
}

// Socket is where the node's containerd answers.
func (c Config) Socket() string {
	if c.Address != "" {
		return c.Address
	}
	return filepath.Join(c.RunDir, "containerd.sock")
}

func (c Config) ttrpcAddress() string { return c.Socket() + ".ttrpc" }
func (c Config) socketDir() string    { return filepath.Join(c.RunDir, "s") }
func (c Config) runcRoot() string     { return filepath.Join(c.RunDir, "runc") }
func (c Config) shims() shim.Config {
	return shim.Config{
		Namespace: c.Name, BinDir: c.BinDir, Dir: filepath.Join(c.RunDir, "shims"), SocketDir: c.socketDir(),
		Address: c.Socket(), TTRPC: c.ttrpcAddress(), Spawn: c.spawn,
	}
}
func (c Config) execDir() string        { return filepath.Join(c.RunDir, "exec") }
func (c Config) bin(name string) string { return filepath.Join(c.BinDir, name) }
