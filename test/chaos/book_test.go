package chaos

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
	exit *int32 // the code it ends with by itself; nil: it runs until it is stopped
	stop bool   // StopTask was acknowledged
}

// book remembers what the region acknowledged, and what was done to it.
type book struct {
	mu       sync.Mutex
	services map[string]spec
	tasks    map[string]wish           // by ARN
	prints   map[string][]rounds.Print // by container id: its first process, once it was seen
	harmed   map[string]bool           // ids of tasks of which a part was killed: they may end
	findings []string                  // what the load was answered and should not have been
}

func newBook() *book {
	return &book{services: map[string]spec{}, tasks: map[string]wish{}, prints: map[string][]rounds.Print{}, harmed: map[string]bool{}}
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

func (b *book) harm(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.harmed[id] = true
}

func (b *book) isHarmed(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.harmed[id]
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

// running are the standalone tasks that nobody stopped and that do not end by themselves.
func (b *book) running() []string {
	var out []string
	for arn, w := range b.allTasks() {
		if w.exit == nil && !w.stop && !b.isHarmed(rounds.ShortID(arn)) {
			out = append(out, arn)
		}
	}
	slices.Sort(out)
	return out
}

// forget drops tasks that are stopped for good: what is described of them was judged.
func (b *book) forget(arns []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, arn := range arns {
		delete(b.tasks, arn)
	}
}

// judge says what is wrong with a standalone task; "" when nothing is. Nothing is wrong yet with one that is on its way.
func (w wish) judge(t types.Task, harmed bool) (wrong string, onItsWay bool) {
	last := aws.ToString(t.LastStatus)
	switch ended := w.exit != nil || w.stop; {
	case harmed && last == "STOPPED" && t.StopCode == "":
		return "has no stop code", false
	case harmed:
		return "", last != "STOPPED" && (last != "RUNNING" || ended)
	case !ended && last == "STOPPED":
		return fmt.Sprintf("ended by itself: %s, %s", t.StopCode, reasons(t)), false
	case !ended:
		return "", last != "RUNNING"
	case last != "STOPPED":
		return "", true
	case w.stop && w.exit == nil && t.StopCode != types.TaskStopCodeUserInitiated:
		return fmt.Sprintf("stop code %s, want that of StopTask: %s", t.StopCode, reasons(t)), false
	case w.exit != nil && !w.stop && t.StopCode != types.TaskStopCodeEssentialContainerExited:
		return fmt.Sprintf("stop code %s: %s", t.StopCode, reasons(t)), false
	case w.exit != nil && !w.stop && (t.Containers[0].ExitCode == nil || *t.Containers[0].ExitCode != *w.exit):
		return fmt.Sprintf("it should have ended with %d: %s", *w.exit, reasons(t)), false
	}
	return "", false
}

func reasons(t types.Task) string {
	var out strings.Builder
	out.WriteString(aws.ToString(t.StoppedReason))
	for _, c := range t.Containers {
		code := "none"
		if c.ExitCode != nil {
			code = strconv.Itoa(int(*c.ExitCode))
		}
		fmt.Fprintf(&out, "; %s: %s %s exit %s", aws.ToString(c.Name), aws.ToString(c.LastStatus), aws.ToString(c.Reason), code)
	}
	return out.String()
}
