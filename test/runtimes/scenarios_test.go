package runtimes

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
)

// several are questions about several containers, or about how one ends.
var several = []probe{
	{what: "`dependsOn`, and volumes that containers share", runc: "a b c", asks: order},
	{what: "read-only volumes", runc: "read-only", asks: func(w *world) string {
		return w.printed("one", []types.ContainerDefinition{container("one", `touch /v/x 2>/dev/null && echo writable || echo read-only`, mounts(true))}, volume)
	}},
	{what: "localhost of the task", runc: "hello", asks: pair(`while :; do echo hello | nc -l -p 8080; done`, `until nc 127.0.0.1 8080 < /dev/null; do usleep 20000; done`)},
	{what: "files of another container", runc: "hidden", asks: pair(`touch /mine; sleep 100`, `usleep 300000; ls /mine >/dev/null 2>&1 && echo seen || echo hidden`)},
	{what: "processes of another container", runc: "hidden", asks: pair(`sleep 7531`, `usleep 300000; ps | grep -q '[s]leep 7531' && echo seen || echo hidden`)},
	{what: "`pidMode` task", runc: "seen", asks: func(w *world) string {
		return w.two(`sleep 7531`, `n=0; until ps | grep -q '[s]leep 7531'; do n=$((n+1)); [ $n = 100 ] && break; usleep 20000; done; [ $n = 100 ] && echo hidden || echo seen`,
			func(d *ecs.RegisterTaskDefinitionInput) { d.PidMode = types.PidModeTask })
	}},
	{what: "Unix sockets in a volume that containers share", runc: "reached", asks: pair(`probe serve /v/socket`, `probe dial /v/socket`)},
	{what: "abstract Unix sockets", runc: "reached", asks: pair(`probe serve @probe`, `probe dial @probe`)},
	{what: "locks of files in a volume that containers share", runc: "held", sandbox: "not held", asks: pair(`probe lock /v/file`, `probe trylock /v/file`)},
	{what: "news (inotify) of files that another container makes in a volume", runc: "told", sandbox: "not told", asks: pair(`until [ -e /v/watching ]; do usleep 20000; done; touch /v/other; sleep 100`, `probe watch /v`)},
	{what: "System V IPC", runc: "its own", sandbox: "shared", asks: pair(`probe share`, `probe shared`)},
	{what: "stops: SIGTERM, and SIGKILL after `stopTimeout`", runc: "exit code 3, exit code 137", asks: stops},
	{what: "health checks, with the container's user and environment", runc: "HEALTHY UNHEALTHY", asks: health},
	{what: "memory of a container (`memory`) used up", runc: "exit code 137 OutOfMemoryError", sandbox: "nothing", asks: func(w *world) string {
		said := w.printed("one", []types.ContainerDefinition{container("one", `exec dd if=/dev/zero of=/dev/null bs=98304k count=1 2>/dev/null`, func(c *types.ContainerDefinition) { c.Memory = aws.Int32(32) })})
		if said == "" {
			said = "nothing"
		}
		return said
	}},
	{what: "memory of the task used up", runc: "exit code 137 OutOfMemoryError", asks: func(w *world) string {
		return w.printed("one", []types.ContainerDefinition{container("one", `x=a; while :; do x="$x$x"; done`, func(c *types.ContainerDefinition) {
			c.Memory, c.MemoryReservation = nil, aws.Int32(32)
		})}, func(d *ecs.RegisterTaskDefinitionInput) { d.Memory = aws.String("512") })
	}},
	{what: "limit of memory in a container's statistics, with `memory` 64 in a task of 512 MiB", runc: "64 MiB", sandbox: "512 MiB", asks: func(w *world) string {
		said := w.printed("one", []types.ContainerDefinition{container("one", soon(`wget -qO- $ECS_CONTAINER_METADATA_URI_V4/stats 2>/dev/null | grep -q '"limit":[1-9]'`)+`; wget -qO- $ECS_CONTAINER_METADATA_URI_V4/stats | grep -o '"limit":[0-9]*' | head -1 | busybox cut -d: -f2`)})
		var n int
		_, _ = fmt.Sscan(said, &n)
		return fmt.Sprintf("%d MiB", n>>20)
	}},
}

func volume(d *ecs.RegisterTaskDefinitionInput) {
	d.Volumes = []types.Volume{{Name: aws.String("v")}}
}

func mounts(readOnly bool) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/v"), ReadOnly: &readOnly}}
	}
}

// pair asks the second of two containers that share a volume.
func pair(first, second string) func(*world) string {
	return func(w *world) string { return w.two(first, second) }
}

func (w *world) two(first, second string, change ...func(*ecs.RegisterTaskDefinitionInput)) string {
	w.t.Helper()
	b := container("two", second, mounts(false))
	b.DependsOn = []types.ContainerDependency{{ContainerName: aws.String("one"), Condition: types.ContainerConditionStart}}
	return w.printed("two", []types.ContainerDefinition{container("one", first, mounts(false)), b}, append(change, volume)...)
}

// order has each container look whether those before it have done their part.
func order(w *world) string {
	after := func(on string, condition types.ContainerCondition) func(*types.ContainerDefinition) {
		return func(c *types.ContainerDefinition) {
			c.DependsOn = []types.ContainerDependency{{ContainerName: &on, Condition: condition}}
		}
	}
	return w.printed("d", []types.ContainerDefinition{
		container("a", `usleep 200000; touch /v/a`, mounts(false)),
		container("b", `[ -e /v/a ] && touch /v/b`, mounts(false), after("a", types.ContainerConditionSuccess)),
		container("c", `usleep 200000; touch /v/c; sleep 100`, mounts(false), after("b", types.ContainerConditionComplete), check(`[ -e /v/c ]`)),
		container("d", `ls /v`, mounts(false), after("c", types.ContainerConditionHealthy)),
	}, volume)
}

func check(command string) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", command}, Interval: aws.Int32(5), Retries: aws.Int32(1), Timeout: aws.Int32(2)}
	}
}

func stops(w *world) string {
	w.t.Helper()
	short := func(c *types.ContainerDefinition) { c.StopTimeout = aws.Int32(2) }
	one := container("one", `trap 'exit 3' TERM; echo ready; while :; do sleep 1000 & wait; done`, short)
	one.Essential = aws.Bool(true)
	arn := w.start([]types.ContainerDefinition{one, container("two", `trap '' TERM; echo ready; sleep 1000`, short)})
	w.AwaitTask(w.t, arn, "RUNNING")
	for _, name := range []string{"one", "two"} {
		installation.Eventually(w.t, "the trap of "+name, func(ctx context.Context) error {
			text, err := w.Command(ctx, "logs", arn, name).Output()
			if err == nil && !strings.Contains(string(text), "ready") {
				err = fmt.Errorf("it says %q", text)
			}
			return err
		})
	}
	if _, err := w.ECS.StopTask(w.t.Context(), &ecs.StopTaskInput{Task: &arn}); err != nil {
		w.t.Fatal(err)
	}
	task := w.AwaitTask(w.t, arn, "STOPPED")
	codes := func(name string) string {
		return fmt.Sprintf("exit code %d", aws.ToInt32(containerOf(w.t, task, name).ExitCode))
	}
	return codes("one") + ", " + codes("two")
}

func health(w *world) string {
	w.t.Helper()
	as := func(c *types.ContainerDefinition) {
		c.User, c.Environment = aws.String("app"), []types.KeyValuePair{variable("A", "b")}
	}
	one := container("one", `sleep 1000`, as, check(`[ $(id -u) = 1000 ] && [ "$A" = b ]`))
	one.Essential = aws.Bool(true)
	arn := w.start([]types.ContainerDefinition{one, container("two", `sleep 1000`, as, check(`exit 1`))})
	var task types.Task
	installation.Eventually(w.t, "health of both", func(ctx context.Context) (err error) {
		if task, err = w.Task(ctx, arn); err != nil {
			return err
		}
		for _, name := range []string{"one", "two"} {
			if s := containerOf(w.t, task, name).HealthStatus; s == types.HealthStatusUnknown || s == "" {
				return fmt.Errorf("%s is %q", name, s)
			}
		}
		return nil
	})
	_, _ = w.ECS.StopTask(w.t.Context(), &ecs.StopTaskInput{Task: &arn})
	return fmt.Sprint(containerOf(w.t, task, "one").HealthStatus, " ", containerOf(w.t, task, "two").HealthStatus)
}
