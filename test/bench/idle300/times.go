package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/test/installation"
)

// pace keeps the questions below the rate at which the server answers ThrottlingException: what is timed are answers, not
// a client's waits.
const pace = 20 * time.Millisecond

// describe times DescribeTasks, of one task and of as many as a call may name.
func (b *bench) describe(ctx context.Context) error {
	const calls = 300
	once := func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} }
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for _, n := range []int{1, min(100, len(b.arns))} {
		var took []time.Duration
		for i := range calls {
			at := i * n % (len(b.arns) - n + 1)
			<-tick.C
			began := time.Now()
			if _, err := b.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: b.arns[at : at+n]}, once); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		p50, p99 := took[calls/2], took[calls*99/100]
		fmt.Printf("DescribeTasks of %3d: p50 %.1f ms, p99 %.1f ms; target at most %v: %s\n", n, millis(p50), millis(p99), describeP99, verdict(p99 <= describeP99))
	}
	return nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// restart kills the node and times the next one from its start until it is registered and knows every task as running.
func (b *bench) restart(ctx context.Context) error {
	for range 3 {
		before, err := b.processes()
		if err != nil {
			return err
		}
		b.Kill(installation.Node)
		began := time.Now()
		if err := b.Begin(installation.Node); err != nil {
			return err
		}
		if err := b.knowsAll(ctx); err != nil {
			return err
		}
		took := time.Since(began)
		after, err := b.processes()
		if err != nil {
			return err
		}
		touched := 0 // gone or new
		for p := range before {
			if !after[p] {
				touched++
			}
		}
		for p := range after {
			if !before[p] {
				touched++
			}
		}
		fmt.Printf("node killed and started again: knows all tasks after %.0f ms; target at most %v: %s; processes of tasks that changed: %d of %d\n",
			millis(took), resync, verdict(took <= resync), touched, len(before))
	}
	return b.allRun(ctx)
}

// processes are those of all containers, with their start times.
func (b *bench) processes() (map[string]bool, error) {
	root := "/sys/fs/cgroup/pids/" + b.Name
	if _, err := os.Stat(root); err != nil {
		root = "/sys/fs/cgroup/" + b.Name
	}
	out := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "cgroup.procs" {
			return err
		}
		text, err := os.ReadFile(path)
		for pid := range strings.FieldsSeq(string(text)) {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			if err != nil {
				return err
			}
			_, rest, _ := strings.Cut(string(stat), ") ")
			out[pid+" "+strings.Fields(rest)[19]] = true
		}
		return err
	})
	return out, err
}

// knowsAll waits until the node says by its introspection API that it is registered and all tasks run.
func (b *bench) knowsAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var self struct{ ContainerInstanceArn *string }
		var all struct {
			Tasks []struct{ KnownStatus string }
		}
		err := errors.Join(b.introspect(ctx, "/v1/metadata", &self), b.introspect(ctx, "/v1/tasks", &all))
		running := 0
		for _, t := range all.Tasks {
			if t.KnownStatus == "RUNNING" {
				running++
			}
		}
		if err == nil && self.ContainerInstanceArn != nil && running == len(b.arns) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the node knows %d tasks: %w", running, errors.Join(err, ctx.Err()))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (b *bench) introspect(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.Introspection+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
