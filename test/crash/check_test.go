package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

// live lists the tasks that are not known to have ended, and describes them.
func (w *world) live(ctx context.Context) ([]types.Task, error) {
	var arns []string
	for _, wanted := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecs.NewListTasksPaginator(w.ECS, &ecs.ListTasksInput{DesiredStatus: wanted})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			arns = append(arns, page.TaskArns...)
		}
	}
	all, err := rounds.DescribeTasks(ctx, w.ECS, arns)
	return slices.DeleteFunc(all, func(t types.Task) bool { return aws.ToString(t.LastStatus) == "STOPPED" }), err
}

// visible checks at once, before anything converged, that what was acknowledged is what is described.
func (w *world) visible(ctx context.Context) error {
	tasks, services := w.book.allTasks(), w.book.allServices()
	if _, err := rounds.DescribeTasks(ctx, w.ECS, slices.Sorted(maps.Keys(tasks))); err != nil {
		return fmt.Errorf("an acknowledged task is not there: %w", err)
	}
	out, err := w.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: slices.Sorted(maps.Keys(services))})
	if err != nil {
		return err
	}
	now := map[string]spec{}
	for _, s := range out.Services {
		now[aws.ToString(s.ServiceName)] = specOf([]types.Service{s})
	}
	for name, want := range services {
		if now[name] != want {
			return fmt.Errorf("service %s was acknowledged as %s, it is %s", name, want, now[name])
		}
	}
	return nil
}

// errFinal marks what no waiting makes good.
var errFinal = errors.New("")

// settled checks what holds once the region has come to rest.
func (w *world) settled(ctx context.Context) error {
	if err := w.tasksDone(ctx); err != nil {
		return err
	}
	if err := w.servicesSteady(ctx); err != nil {
		return err
	}
	live, err := w.live(ctx)
	if err != nil {
		return err
	}
	if err := w.accounted(live); err != nil {
		return err
	}
	nodes, err := w.nodes(ctx)
	if err != nil {
		return err
	}
	if err := w.behindFront(ctx, live); err != nil {
		return err
	}
	if err := w.booked(ctx, live, len(nodes)); err != nil {
		return err
	}
	if err := w.ranOnce(); err != nil {
		return err
	}
	if err := w.found(ctx, live); err != nil {
		return err
	}
	return w.oneProcessEach(live, nodes)
}

// ranOnce: no container was started a second time.
func (w *world) ranOnce() error {
	notes, err := filepath.Glob(filepath.Join(w.gates, "ran-*"))
	for _, note := range notes {
		text, rerr := os.ReadFile(note)
		if n := strings.Count(string(text), "\n"); rerr != nil || n > 1 {
			err = errors.Join(err, rerr, fmt.Errorf("%wcontainer %s ran %d times", errFinal, filepath.Base(note), n))
		}
	}
	return err
}

// tasksDone: standalone tasks are where they were wished to be.
func (w *world) tasksDone(ctx context.Context) error {
	wishes := w.book.allTasks()
	tasks, err := rounds.DescribeTasks(ctx, w.ECS, slices.Sorted(maps.Keys(wishes)))
	if err != nil {
		return err
	}
	var errs, final []error
	for _, t := range tasks {
		wrong, onItsWay := wishes[aws.ToString(t.TaskArn)].judge(t, w.book.fateOf(rounds.ShortID(aws.ToString(t.TaskArn))))
		switch {
		case wrong != "":
			final = append(final, fmt.Errorf("%wtask %s %s", errFinal, aws.ToString(t.TaskArn), wrong))
		case onItsWay:
			errs = append(errs, fmt.Errorf("task %s of %s is %s, desired %s: %s", aws.ToString(t.TaskArn),
				rounds.Family(aws.ToString(t.TaskDefinitionArn)), aws.ToString(t.LastStatus), aws.ToString(t.DesiredStatus), reasons(t)))
		}
	}
	if final != nil {
		return errors.Join(final...) // not beside tasks that are on their way: these are not what is wrong
	}
	return errors.Join(errs...)
}

// servicesSteady: every service has what it wants, in one finished deployment, and says so.
func (w *world) servicesSteady(ctx context.Context) error {
	services := w.book.allServices()
	out, err := w.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: slices.Sorted(maps.Keys(services))})
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
		case !strings.Contains(events.String(), "has reached a steady state."):
			errs = append(errs, fmt.Errorf("service %s does not say that it is steady:%s", name, events.String()))
		}
	}
	return errors.Join(errs...)
}

// accounted: every live task was wished, by itself or for a service.
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
		if name == witness || name == publicWitness || name == behind {
			witnesses = append(witnesses, arn)
		}
	}
	for name, s := range services {
		if count[name] != s.desired {
			return fmt.Errorf("service %s wants %s and has %d tasks", name, s, count[name])
		}
	}
	slices.Sort(witnesses)
	if w.witnesses != nil && !slices.Equal(w.witnesses, witnesses) {
		return fmt.Errorf("%wthe witness services had %v, it has %v", errFinal, w.witnesses, witnesses)
	}
	w.witnesses = witnesses
	return nil
}

// oneProcessEach: a container of every live task, of no other, once; and those that were there before are the same. What is in a sandbox has
// the sandbox's; the second container of a task is started again from time to time.
func (w *world) oneProcessEach(live []types.Task, nodes map[string]place) error {
	now, wanted := rounds.Inits(w.Name), map[string]bool{}
	for _, n := range nodes {
		wanted[n.Task] = true
	}
	for _, t := range live {
		id := rounds.ShortID(aws.ToString(t.TaskArn))
		wanted[id] = true
		first := id + "-0"
		if now[id+"-sandbox"] != nil {
			first = id + "-sandbox"
		}
		if len(now[first]) != 1 || len(now[id+"-1"]) > 1 {
			return fmt.Errorf("task %s has %d first processes: %v, and of its second container %v", id, len(now[first]), now[first], now[id+"-1"])
		}
		w.book.mu.Lock()
		before, known := w.book.prints[id+"-0"]
		if !known {
			before, known = w.book.prints[id+"-sandbox"]
		}
		w.book.mu.Unlock()
		if known && !slices.Equal(before, now[first]) {
			return fmt.Errorf("%wtask %s was process %v, it is %v", errFinal, id, before, now[first])
		}
	}
	for id, p := range now {
		if !wanted[task(id)] {
			return fmt.Errorf("processes %v belong to task %s, which does not run", p, task(id))
		}
	}
	w.book.mu.Lock()
	w.book.prints = now
	w.book.mu.Unlock()
	return nil
}

// answers asks the witnesses through their ports, each over a new connection: one to a load balancer's node that was killed leads nowhere. It needs no
// server and no node.
func (w *world) answers(ctx context.Context, addresses []string) error {
	ctx, cancel := context.WithTimeout(ctx, installation.Patience)
	defer cancel()
	for _, address := range addresses {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			return err
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("a container does not answer: %w", err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close() // it was read
		if err != nil {
			return fmt.Errorf("the container at %s breaks off: %w", address, err)
		}
		if strings.TrimSpace(string(body)) != "alive" {
			return fmt.Errorf("the container at %s says %s, %q", address, resp.Status, body)
		}
	}
	return nil
}

// addresses are where the witnesses answer: at ports of the node, at a public address, and through a load balancer, which is the last.
func (w *world) addresses(ctx context.Context) (out []string, err error) {
	live, err := w.live(ctx)
	wishes := w.book.allTasks()
	for _, t := range live {
		if aws.ToString(t.Group) == "service:"+publicWitness {
			a, err := w.publicAddress(ctx, t)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
			continue
		}
		if aws.ToString(t.Group) != "service:"+witness && !wishes[aws.ToString(t.TaskArn)].keep {
			continue
		}
		for _, b := range t.Containers[0].NetworkBindings {
			out = append(out, fmt.Sprintf("127.0.0.1:%d", aws.ToInt32(b.HostPort)))
		}
	}
	at, ferr := w.frontAddress(ctx)
	if at != "" {
		out = append(out, at)
	}
	return out, errors.Join(err, ferr)
}

// converge waits until the region has come to rest, and fails at once at what no waiting makes good.
func (w *world) converge(what string) {
	w.t.Helper()
	installation.Eventually(w.t, what, func(ctx context.Context) error {
		err := w.settled(ctx)
		if errors.Is(err, errFinal) {
			w.t.Fatalf("%s: %v", what, err)
		}
		return err
	})
}
