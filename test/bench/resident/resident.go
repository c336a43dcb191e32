// Package resident measures the memory of an installation's programs: anonymous resident memory, which is nobody else's.
package resident

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/test/installation"
)

// The programs that are told apart.
const (
	Node       = "node"
	Server     = "server"
	Hold       = "hold"
	Containerd = "containerd"
	Shims      = "shims"
	Runsc      = "runsc" // sandboxes and their gofers
)

// Of is the memory of an installation in MB, by program.
func Of(i *installation.Installation) map[string]float64 {
	out := map[string]float64{}
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well
	for _, dir := range dirs {
		command, err := os.ReadFile(dir + "/cmdline")
		if err != nil {
			continue // it has just ended
		}
		if what := program(i, filepath.Base(dir), string(command)); what != "" {
			out[what] += anonMB(dir)
		}
	}
	return out
}

// program names a process of this installation; "" for another.
func program(i *installation.Installation, pid, command string) string {
	switch pid {
	case strconv.Itoa(i.PID(installation.Node)):
		return Node
	case strconv.Itoa(i.PID(installation.Server)):
		return Server
	}
	args := strings.Split(command, "\x00")
	environ, _ := os.ReadFile("/proc/" + pid + "/environ") // of one that has ended: nothing
	ours := strings.Contains(command, i.RunDir) || strings.Contains(command, i.DataDir) || strings.Contains(string(environ), "BERTH_NAME="+i.Name+"\x00")
	switch name := filepath.Base(args[0]); {
	case !ours:
		return ""
	case strings.HasPrefix(name, "containerd-shim"):
		return Shims
	case name == "containerd":
		return Containerd
	case strings.HasPrefix(name, "runsc"):
		return Runsc
	case len(args) > 1 && args[1] == "hold":
		return Hold
	}
	return ""
}

func anonMB(dir string) float64 {
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 64)
			return kb / 1024
		}
	}
	return 0
}
