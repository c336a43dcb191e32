// Package envoy runs the Envoy of a node: a process that outlives whoever started it.
//
// Guarantees:
//
//   - One Envoy serves one directory, also when two processes start it at once or one is killed while it does. A running one is adopted, a dead one is started again at
//     once and without end.
//   - It has the capabilities that it needs and can get no others; its log and its administration, a unix socket, are root's alone. It leaves no core dump.
//   - It asks for its configuration at a socket of the node's: while nobody listens there it goes on with what it has.
//   - One that is not wanted any more ends after a while.
//   - Stop ends it, whoever started it.
package envoy

import (
	"log/slog"
	"os/exec"
	"path/filepath"
	"time"
)

// Config says where an Envoy lives.
type Config struct {
	Program         string                // required: its path
	RunDir, DataDir string                // required: they exist
	Spawn           func(*exec.Cmd) error // optional: starts it, in a cgroup of its own
	Leisure         time.Duration         // optional: how long an Envoy stays that has nothing to do; a minute
	Log             *slog.Logger          // required
}

// Socket is where the configuration is to be served.
func (c Config) Socket() string { return filepath.Join(c.RunDir, "xds.sock") }

func (c Config) admin() string     { return filepath.Join(c.RunDir, "admin.sock") }
func (c Config) bootstrap() string { return filepath.Join(c.RunDir, "bootstrap.json") }
func (c Config) logFile() string   { return filepath.Join(c.DataDir, "envoy.log") }
