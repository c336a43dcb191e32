package rounds

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Print tells a process from every other there was or will be.
type Print struct {
	PID   int
	Start string // in clock ticks since boot
}

var inContainer = regexp.MustCompile(`/[0-9a-f]{32}/([0-9a-f]{32}-([0-9]+|sandbox))`)

// Inits finds the first process of each running container, by the container's id, and of each sandbox. It asks the kernel only.
func Inits(name string) map[string][]Print {
	out := map[string][]Print{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cgroup := Read(pid, "cgroup")
		if !strings.Contains(cgroup, "/"+name+"/") || InnerPID(pid) != "1" {
			continue
		}
		stat := Read(pid, "stat")
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		m := inContainer.FindStringSubmatch(cgroup)
		if m == nil || len(fields) < 20 || fields[0] == "Z" {
			continue
		}
		if strings.HasSuffix(m[1], "-sandbox") && !strings.HasPrefix(Read(pid, "cmdline"), "runsc-sandbox") {
			continue // a gofer
		}
		out[m[1]] = append(out[m[1]], Print{pid, fields[19]})
	}
	for _, ps := range out {
		slices.SortFunc(ps, func(a, b Print) int { return a.PID - b.PID })
	}
	return out
}

// InnerPID is a process's id in its own namespace.
func InnerPID(pid int) string {
	_, rest, _ := strings.Cut(Read(pid, "status"), "NSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return "" // it has no namespace of its own
	}
	return fields[len(fields)-1]
}

// Read is a file of a process; "" when that is gone.
func Read(pid int, file string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // it may be gone by now
	return string(b)
}
