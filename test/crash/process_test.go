package crash

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// print tells a process from every other there was or will be.
type print struct {
	pid   int
	start string // in clock ticks since boot
}

var inContainer = regexp.MustCompile(`/[0-9a-f]{32}/([0-9a-f]{32}-([0-9]+|sandbox))`)

// inits finds the first process of each running container, by the container's id, and of each sandbox. It asks the kernel only.
func inits(name string) map[string][]print {
	out := map[string][]print{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		cgroup := read(pid, "cgroup")
		if !strings.Contains(cgroup, "/"+name+"/") || innerPID(pid) != "1" {
			continue
		}
		stat := read(pid, "stat")
		fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
		m := inContainer.FindStringSubmatch(cgroup)
		if m == nil || len(fields) < 20 || fields[0] == "Z" {
			continue
		}
		if strings.HasSuffix(m[1], "-sandbox") && !strings.HasPrefix(read(pid, "cmdline"), "runsc-sandbox") {
			continue // a gofer
		}
		out[m[1]] = append(out[m[1]], print{pid, fields[19]})
	}
	for _, ps := range out {
		slices.SortFunc(ps, func(a, b print) int { return a.pid - b.pid })
	}
	return out
}

// innerPID is a process's id in its own namespace.
func innerPID(pid int) string {
	_, rest, _ := strings.Cut(read(pid, "status"), "NSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return "" // it has no namespace of its own
	}
	return fields[len(fields)-1]
}

func read(pid int, file string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // it may be gone by now
	return string(b)
}
