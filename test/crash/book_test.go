package crash

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/rounds"
)

// spec is what was wished of a service.
type spec struct {
	exists     bool
	definition string
	desired    int32
}

func (s spec) String() string {
	if !s.exists {
		return "none"
	}
	return fmt.Sprintf("%d of %s", s.desired, s.definition)
}

// wish is what was wished of a standalone task.
type wish struct {
	exit  *int32 // the code it ends with by itself; nil: it runs until it is stopped
	gated bool   // and when it is told to; it prints nothing
	stop  bool   // StopTask was acknowledged
	keep  bool   // the load leaves it alone
	lost  bool   // its processes were killed: it has ended, nobody says how
}

// book remembers what the region acknowledged.
type book struct {
	mu       sync.Mutex
	services map[string]spec
	tasks    map[string]wish           // by ARN
	prints   map[string][]rounds.Print // by container id: the processes of one that is to stay
	findings []string                  // what the load was answered and should not have been
	fates    map[string]fate           // by task id: those of which a part was killed
}

// fate is what becomes of a task because a part of it was killed.
type fate int

const (
	unharmed fate = iota
	mayEnd        // it had just begun, and may begin again; or it was ending
	mustEnd       // its containers ran
)

func newBook() *book {
	return &book{services: map[string]spec{}, tasks: map[string]wish{}, prints: map[string][]rounds.Print{}, fates: map[string]fate{}}
}

func (b *book) service(name string) spec {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.services[name]
}

func (b *book) setService(name string, s spec) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.services[name] = s
}

func (b *book) setTask(arn string, w wish) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks[arn] = w
}

// harm notes that a part of a task is killed now. One whose containers were seen to run ends.
func (b *book) harm(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fates[id] = max(b.fates[id], mayEnd)
	if b.prints[id+"-0"] != nil || b.prints[id+"-sandbox"] != nil {
		b.fates[id] = mustEnd
	}
}

func (b *book) fateOf(id string) fate {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fates[id]
}

func (b *book) find(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.findings = append(b.findings, fmt.Sprintf(format, args...))
}

// takeFindings answers and forgets.
func (b *book) takeFindings() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.findings
	b.findings = nil
	return out
}

// copies of the maps, for checks that call the region meanwhile.
func (b *book) allServices() map[string]spec {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.services)
}

func (b *book) allTasks() map[string]wish {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.tasks)
}

// running are the standalone tasks that nobody stopped and that may be stopped.
func (b *book) running() []string {
	var out []string
	for arn, w := range b.allTasks() {
		if w.exit == nil && !w.stop && !w.keep && !w.lost {
			out = append(out, arn)
		}
	}
	slices.Sort(out)
	return out
}

// judge says what is wrong with a standalone task; "" when nothing is. Nothing is wrong yet with one that is on its way.
func (w wish) judge(t types.Task, f fate) (wrong string, onItsWay bool) {
	last := aws.ToString(t.LastStatus)
	if f != unharmed {
		return w.judgeHarmed(t, f)
	}
	switch ended := w.exit != nil || w.stop || w.lost; {
	case !ended && last == "STOPPED":
		return fmt.Sprintf("ended by itself: %s, %s, %s", t.StopCode, aws.ToString(t.StoppedReason), reasons(t)), false
	case !ended:
		return "", last != "RUNNING"
	case last != "STOPPED":
		return "", true
	case w.lost && t.StopCode == "":
		return "has no stop code", false
	case w.stop && w.exit == nil && t.StopCode != types.TaskStopCodeUserInitiated:
		return fmt.Sprintf("stop code %s, want that of StopTask: %s", t.StopCode, aws.ToString(t.StoppedReason)), false
	case w.exit != nil && !w.stop && t.StopCode != types.TaskStopCodeEssentialContainerExited:
		return fmt.Sprintf("stop code %s: %s, %s", t.StopCode, aws.ToString(t.StoppedReason), reasons(t)), false
	case w.exit != nil && !w.stop && (t.Containers[0].ExitCode == nil || *t.Containers[0].ExitCode != *w.exit):
		return fmt.Sprintf("exit code %s, want %d: %s", code(t.Containers[0].ExitCode), *w.exit, reasons(t)), false
	}
	return "", false
}

// judgeHarmed says the same of a task of which a part was killed: it ends as one whose container ended, if nothing else ended it before.
func (w wish) judgeHarmed(t types.Task, f fate) (wrong string, onItsWay bool) {
	last := aws.ToString(t.LastStatus)
	switch {
	case last != "STOPPED":
		return "", f == mustEnd || last != "RUNNING"
	case t.StopCode == "" || f == mustEnd && !w.stop && t.StopCode != types.TaskStopCodeEssentialContainerExited:
		return fmt.Sprintf("a part of it was killed, and its stop code is %q: %s, %s", t.StopCode, aws.ToString(t.StoppedReason), reasons(t)), false
	}
	return "", false
}

func code(c *int32) string {
	if c == nil {
		return "none"
	}
	return strconv.Itoa(int(*c))
}

func reasons(t types.Task) string {
	var out strings.Builder
	for _, c := range t.Containers {
		fmt.Fprintf(&out, "%s: %s %s exit %s ", aws.ToString(c.Name), aws.ToString(c.LastStatus), aws.ToString(c.Reason), code(c.ExitCode))
	}
	return out.String()
}
