package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// errFinal marks what no waiting makes good.
var errFinal = errors.New("")

// converge waits until the region has come to rest, as one of the servers says it, and fails at once at what no waiting makes good.
func (w *world) converge(what string, server int) {
	w.t.Helper()
	installation.Eventually(w.t, what, func(ctx context.Context) error {
		err := w.settled(ctx, w.ecs[server%machines])
		if errors.Is(err, errFinal) {
			w.t.Fatalf("%s: %v", what, err)
		}
		return err
	})
}

// live lists the tasks that are not known to have ended, and describes them.
func (w *world) live(ctx context.Context, c *ecs.Client) ([]types.Task, error) {
	var arns []string
	for _, wanted := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecs.NewListTasksPaginator(c, &ecs.ListTasksInput{DesiredStatus: wanted})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			arns = append(arns, page.TaskArns...)
		}
	}
	all, err := rounds.DescribeTasks(ctx, c, arns)
	return slices.DeleteFunc(all, func(t types.Task) bool { return aws.ToString(t.LastStatus) == "STOPPED" }), err
}

// visible checks at once, before anything converged, that every server says what was acknowledged by any.
func (w *world) visible(ctx context.Context) error {
	tasks, services := w.book.allTasks(), w.book.allServices()
	for i, c := range w.ecs {
		if _, err := rounds.DescribeTasks(ctx, c, slices.Sorted(maps.Keys(tasks))); err != nil {
			return fmt.Errorf("server %d: an acknowledged task is not there: %w", i, err)
		}
		out, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: slices.Sorted(maps.Keys(services))})
		if err != nil {
			return fmt.Errorf("server %d: %w", i, err)
		}
		now := map[string]spec{}
		for _, s := range out.Services {
			now[aws.ToString(s.ServiceName)] = specOf([]types.Service{s})
		}
		for name, want := range services {
			if now[name] != want {
				return fmt.Errorf("server %d: service %s was acknowledged as %s, it is %s", i, name, want, now[name])
			}
		}
	}
	return nil
}

// settled checks what holds once the region has come to rest.
func (w *world) settled(ctx context.Context, c *ecs.Client) error {
	if err := w.tasksDone(ctx, c); err != nil {
		return err
	}
	if err := w.servicesSteady(ctx, c); err != nil {
		return err
	}
	live, err := w.live(ctx, c)
	if err != nil {
		return err
	}
	if err := w.accounted(live); err != nil {
		return err
	}
	if err := w.booked(ctx, c, live); err != nil {
		return err
	}
	return w.oneProcessEach(live)
}

// tasksDone: standalone tasks are where they were wished to be.
func (w *world) tasksDone(ctx context.Context, c *ecs.Client) error {
	wishes := w.book.allTasks()
	tasks, err := rounds.DescribeTasks(ctx, c, slices.Sorted(maps.Keys(wishes)))
	if err != nil {
		return err
	}
	var errs, final []error
	for _, t := range tasks {
		arn := aws.ToString(t.TaskArn)
		wrong, onItsWay := wishes[arn].judge(t, w.book.isHarmed(rounds.ShortID(arn)))
		switch {
		case wrong != "":
			final = append(final, fmt.Errorf("%wtask %s %s", errFinal, arn, wrong))
		case onItsWay:
			errs = append(errs, fmt.Errorf("task %s of %s is %s, desired %s: %s", arn, rounds.Family(aws.ToString(t.TaskDefinitionArn)),
				aws.ToString(t.LastStatus), aws.ToString(t.DesiredStatus), reasons(t)))
		}
	}
	if final != nil {
		return errors.Join(final...) // not beside tasks that are on their way: these are not what is wrong
	}
	return errors.Join(errs...)
}

// servicesSteady: every service has what it wants, in one finished deployment.
func (w *world) servicesSteady(ctx context.Context, c *ecs.Client) error {
	services := w.book.allServices()
	out, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: slices.Sorted(maps.Keys(services))})
	if err != nil {
		return err
	}
	var errs []error
	for _, s := range out.Services {
		name := aws.ToString(s.ServiceName)
		var events strings.Builder
		for _, e := range s.Events[:min(4, len(s.Events))] {
			events.WriteString("\n\t" + aws.ToString(e.Message))
		}
		want := services[name]
		switch {
		case specOf([]types.Service{s}) != want:
			errs = append(errs, fmt.Errorf("%wservice %s was acknowledged as %s, it is %s", errFinal, name, want, specOf([]types.Service{s})))
		case !want.exists && (aws.ToString(s.Status) != "INACTIVE" || s.RunningCount+s.PendingCount > 0):
			errs = append(errs, fmt.Errorf("deleted service %s is %s and has %d running", name, aws.ToString(s.Status), s.RunningCount))
		case !want.exists:
		case s.RunningCount != want.desired || s.PendingCount != 0 || len(s.Deployments) != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted:
			errs = append(errs, fmt.Errorf("service %s wants %s: %d running, %d pending, %d deployments, events:%s", name, want, s.RunningCount, s.PendingCount, len(s.Deployments), events.String()))
		}
	}
	return errors.Join(errs...)
}

// accounted: every live task was wished, by itself or for a service, and runs.
func (w *world) accounted(live []types.Task) error {
	tasks, services := w.book.allTasks(), w.book.allServices()
	count := map[string]int32{}
	var witnesses []string
	for _, t := range live {
		arn, group := aws.ToString(t.TaskArn), aws.ToString(t.Group)
		name, ofService := strings.CutPrefix(group, "service:")
		_, known := tasks[arn]
		switch {
		case aws.ToString(t.LastStatus) != "RUNNING":
			return fmt.Errorf("task %s of %s is %s", arn, group, aws.ToString(t.LastStatus))
		case !ofService && !known:
			return fmt.Errorf("%wtask %s of %s runs and was never answered", errFinal, arn, group)
		case ofService:
			count[name]++
		}
		if name == witness {
			witnesses = append(witnesses, rounds.ShortID(arn))
		}
	}
	for name, s := range services {
		if count[name] != s.desired {
			return fmt.Errorf("service %s wants %s and has %d tasks", name, s, count[name])
		}
	}
	return w.witnessed(witnesses)
}

// booked: what each node registered, less what is left, is what the live tasks on it hold.
func (w *world) booked(ctx context.Context, c *ecs.Client, live []types.Task) error {
	all, err := w.describeInstances(ctx, c)
	if err != nil {
		return err
	}
	for _, i := range all {
		var tasks, cpu, memory int32
		for _, t := range live {
			if aws.ToString(t.ContainerInstanceArn) == aws.ToString(i.ContainerInstanceArn) {
				tasks, cpu, memory = tasks+1, cpu+number(t.Containers[0].Cpu), memory+number(t.Containers[0].Memory)
			}
		}
		held := map[string]int32{}
		for n, r := range i.RegisteredResources {
			held[aws.ToString(r.Name)] = r.IntegerValue - i.RemainingResources[n].IntegerValue
		}
		name := w.at[aws.ToString(i.ContainerInstanceArn)].Name
		switch {
		case held["CPU"] != cpu || held["MEMORY"] != memory:
			return fmt.Errorf("the ledger of %s holds CPU %d and memory %d; live tasks have %d and %d", name, held["CPU"], held["MEMORY"], cpu, memory)
		case i.RunningTasksCount != tasks || i.PendingTasksCount != 0:
			return fmt.Errorf("%s counts %d running and %d pending tasks; there are %d", name, i.RunningTasksCount, i.PendingTasksCount, tasks)
		case !i.AgentConnected:
			return fmt.Errorf("the agent of %s is not connected", name)
		}
	}
	return nil
}

func number(s *string) int32 {
	n, _ := strconv.ParseInt(aws.ToString(s), 10, 32) // the API's own number
	return int32(n)
}

// oneProcessEach: the container of every live task, and of no other, runs once, on its task's machine; and those that were there before are the same.
func (w *world) oneProcessEach(live []types.Task) error {
	wanted := map[string]string{} // the machine of each container
	for _, t := range live {
		wanted[rounds.ShortID(aws.ToString(t.TaskArn))+"-0"] = w.at[aws.ToString(t.ContainerInstanceArn)].Name
	}
	all := map[string][]rounds.Print{}
	for _, h := range w.nodes {
		now := rounds.Inits(h.Name)
		for id, p := range now {
			if wanted[id] != h.Name {
				return fmt.Errorf("processes %v of %s run on %s, they should on %q", p, id, h.Name, wanted[id])
			}
			before, known := w.book.prints[id]
			if len(p) != 1 || known && !slices.Equal(before, p) {
				return fmt.Errorf("container %s on %s was process %v, it is %v", id, h.Name, before, p)
			}
			all[id] = p
		}
	}
	for id, h := range wanted {
		if all[id] == nil {
			return fmt.Errorf("container %s does not run on %s", id, h)
		}
	}
	w.book.prints = all
	return nil
}
