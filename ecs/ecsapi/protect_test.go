package ecsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ofService does what the service loop does: it launches tasks of a service.
func (r *region) ofService(name string, count int) []string {
	r.Helper()
	var ids []string
	r.update(func(tx store.Tx) {
		ids = nil
		s, _ := tables.Services.Peek(tx, tables.MemberKey(us, "default", name))
		d, _ := tables.TaskDefinitions.Peek(tx, tables.RevisionKey(us, "web", 1))
		ts, _, err := tables.Launch(tx, tables.Wings{}, launch.Spec{Home: us, Cluster: "default", Definition: d, Count: count, Service: name, Deployment: s.Target.ID, Group: "service:" + name})
		if err != nil || len(ts) != count {
			r.Fatalf("%d tasks: %v", len(ts), err)
		}
		for _, t := range ts {
			ids = append(ids, t.ID)
		}
	})
	return ids
}

// protect protects tasks and answers one line of each: "<until>" or the failure.
func (r *region) protect(enabled bool, minutes int32, ids ...string) string {
	r.Helper()
	in := &shape.UpdateTaskProtectionRequest{Cluster: aws.Ptr("default"), Tasks: ids, ProtectionEnabled: &enabled}
	if minutes > 0 {
		in.ExpiresInMinutes = &minutes
	}
	out := must(r, shape.OpUpdateTaskProtection, r.api.UpdateTaskProtection, in)
	return r.lines(out.ProtectedTasks, out.Failures)
}

func (r *region) protection(ids ...string) string {
	r.Helper()
	out := must(r, shape.OpGetTaskProtection, r.api.GetTaskProtection, &shape.GetTaskProtectionRequest{Cluster: aws.Ptr("default"), Tasks: ids})
	return r.lines(out.ProtectedTasks, out.Failures)
}

func (r *region) lines(tasks []shape.ProtectedTask, failures []shape.Failure) string {
	var lines []string
	for _, t := range tasks {
		if !*t.ProtectionEnabled {
			if t.ExpirationDate != nil {
				r.Errorf("not protected until %v", t.ExpirationDate)
			}
			lines = append(lines, "free")
			continue
		}
		lines = append(lines, t.ExpirationDate.Sub(r.now).String())
	}
	for _, f := range failures {
		lines = append(lines, *f.Reason)
	}
	return strings.Join(lines, " ")
}

func TestTaskProtection(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.instance()
	r.service("web", 2)
	ids := r.ofService("web", 3)
	standalone := r.run("web")
	steps := []struct{ what, got, want string }{
		{"before", r.protection(ids...), "free free free"},
		{"two hours unless told", r.protect(true, 0, ids[0]), "2h0m0s"},
		{"each call begins anew", r.protect(true, 10, us.TaskARN("default", ids[0])), "10m0s"},
		{"a standalone task", r.protect(true, 0, standalone), "TASK_NOT_VALID"},
		{"asked about", r.protection(standalone, strings.Repeat("0", 32)), "TASK_NOT_VALID MISSING"},
		{"as many as desired, and one more", r.protect(true, 2880, ids[1], ids[2]), "48h0m0s DEPLOYMENT_BLOCKED"},
		{"one that is protected", r.protect(true, 5, ids[0]), "5m0s"},
		{"taken back", r.protect(false, 0, ids[1]), "free"},
		{"then another", r.protect(true, 0, ids[2]), "2h0m0s"},
		{"all", r.protection(ids...), "5m0s free 2h0m0s"},
	}
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: %s, want %s", s.what, s.got, s.want)
		}
	}
	r.now = r.now.Add(5 * time.Minute)
	if got := r.protection(ids...); got != "free free 1h55m0s" {
		t.Errorf("five minutes later: %s", got)
	}
	must(r, shape.OpStopTask, r.api.StopTask, &shape.StopTaskRequest{Task: &ids[2]})
	if got := r.protect(true, 0, ids[2]); got != "TASK_NOT_VALID" {
		t.Errorf("a task that stops: %s", got)
	}
}

// A task that is stopped while it is being protected is one or the other.
func TestProtectionMeetsAStop(t *testing.T) {
	r := newRegion(t)
	r.cluster()
	r.definition("web", 10, 10)
	r.instance()
	r.service("web", 1)
	id := r.ofService("web", 1)[0]
	r.meanwhile(func() {
		r.update(func(tx store.Tx) {
			tables.StopTask(tx, tables.Wings{}, tables.MemberKey(us, "default", id), "ServiceSchedulerInitiated", "scale-in")
		})
	})
	if got := r.protect(true, 0, id); got != "TASK_NOT_VALID" {
		t.Errorf("stopped first: %s", got)
	}
	r.update(func(tx store.Tx) {
		if v, _ := tables.GetTask(tx, tables.MemberKey(us, "default", id)); v.Desired.Status != ecs.TaskStopped || v.Protection != nil {
			t.Errorf("%s, %+v", v.Desired.Status, v.Protection)
		}
	})
}
