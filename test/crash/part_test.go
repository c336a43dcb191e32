package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-ecs/berth/test/rounds"
)

// part is a process that is of one task alone. When it is killed the task ends, and what it had goes.
type part string

const (
	nothing   part = ""
	runsc     part = "runsc"
	gofer     part = "gofer"
	boxShim   part = "sandbox's shim"
	shim      part = "shim" // of a task without a sandbox
	frontShim part = "load balancer's shim"
)

// parts are drawn from; half of the rounds have one.
var parts = []part{nothing, nothing, nothing, nothing, nothing, runsc, gofer, boxShim, shim, frontShim}

// Which processes those are, by their command lines. A gofer is of a container: that of the second one is not essential.
var partLines = map[part]*regexp.Regexp{
	runsc:     regexp.MustCompile(`^runsc-sandbox .*--bundle=\S*/([0-9a-f]{32})-sandbox `),
	gofer:     regexp.MustCompile(`^runsc-gofer .*--bundle \S*/([0-9a-f]{32})-(?:0|sandbox) `),
	boxShim:   regexp.MustCompile(`^\S*/containerd-shim-berth-v1 `),
	shim:      regexp.MustCompile(`^\S*/containerd-shim-runc-v2 `),
	frontShim: regexp.MustCompile(`^\S*/containerd-shim-runc-v2 `),
}

// killPart kills such a process of a task that may end, and notes whose it was. There may be none just now.
func (w *world) killPart(p part, r *rand.Rand) {
	w.t.Helper()
	if p == nothing {
		return
	}
	found := w.partsOf(p)
	if len(found) == 0 {
		return
	}
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := ids[r.IntN(len(ids))]
	w.t.Logf("the %s of task %s is killed", p, id)
	w.book.harm(id)
	if err := syscall.Kill(found[id], syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		w.t.Error(err)
	}
}

// partsOf finds the processes of that kind, by task. Those of witnesses and of gated tasks, which the round needs, are left out.
func (w *world) partsOf(p part) map[string]int {
	spared := map[string]bool{}
	for _, arn := range w.witnesses {
		spared[rounds.ShortID(arn)] = true
	}
	for arn, wished := range w.book.allTasks() {
		if wished.keep || wished.gated {
			spared[rounds.ShortID(arn)] = true
		}
	}
	fronts := w.placesSeen()
	for _, f := range fronts {
		spared[f.Task] = p != frontShim
	}
	out := map[string]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line := strings.ReplaceAll(rounds.Read(pid, "cmdline"), "\x00", " ")
		m := partLines[p].FindStringSubmatch(line)
		if m == nil || !strings.Contains(line, w.RunDir+"/") || p == runsc && rounds.InnerPID(pid) != "1" {
			continue
		}
		var id string
		if len(m) > 1 {
			id = m[1]
		} else {
			id = w.shimOf(pid)
		}
		if id != "" && !spared[id] && (p != frontShim || id == fronts[front].Task) {
			out[id] = pid
		}
	}
	return out
}

// shimOf is the task that a shim works for; "" for one that waits for a task.
func (w *world) shimOf(pid int) string {
	dir, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)) // it may be gone by now
	id := filepath.Base(dir)
	if dir != filepath.Join(w.RunDir, "shims", id) || len(id) != 32 {
		return ""
	}
	return id
}
