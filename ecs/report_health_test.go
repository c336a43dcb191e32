package ecs

import (
	"math"
	"testing"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestHealthOfATask(t *testing.T) {
	const h, u, k = shape.HealthStatusHealthy, shape.HealthStatusUnhealthy, shape.HealthStatusUnknown
	task := &Task{Containers: []TaskContainer{
		{Name: "a", Essential: true, HealthCheck: true}, {Name: "b", Essential: true, HealthCheck: true},
		{Name: "helper", HealthCheck: true}, {Name: "plain", Essential: true},
	}}
	for _, c := range []struct {
		a, b, helper, want string
	}{
		{k, k, k, k}, {h, k, h, k}, {h, h, k, h}, {h, h, u, h}, {h, u, h, u}, {u, k, h, u},
	} {
		s, _ := task.FoldHealth(fresh(task), []HealthReport{{"a", c.a, at(1)}, {"b", c.b, at(1)}, {"helper", c.helper, at(1)}}, at(10))
		if s.Health != c.want {
			t.Errorf("a %s, b %s, helper %s: %s, want %s", c.a, c.b, c.helper, s.Health, c.want)
		}
	}
}

func TestTelemetryWritesTransitionsOnly(t *testing.T) {
	task, s := pair()
	s, changed := task.FoldHealth(s, []HealthReport{{"app", shape.HealthStatusHealthy, at(5)}}, at(10))
	if !changed || s.Health != shape.HealthStatusHealthy {
		t.Fatalf("first: %v %s", changed, s.Health)
	}
	for _, c := range []struct {
		name string
		r    HealthReport
	}{
		{"the same again", HealthReport{"app", shape.HealthStatusHealthy, at(6)}},
		{"older news", HealthReport{"app", shape.HealthStatusUnhealthy, at(4)}},
		{"a container without a check", HealthReport{"side", shape.HealthStatusUnhealthy, at(6)}},
		{"an unknown container", HealthReport{"other", shape.HealthStatusUnhealthy, at(6)}},
		{"no status of health", HealthReport{"app", "GREAT", at(6)}},
	} {
		if _, changed := task.FoldHealth(s, []HealthReport{c.r}, at(10)); changed {
			t.Errorf("%s changed the status", c.name)
		}
	}
	back, changed := task.FoldHealth(s, []HealthReport{{"app", shape.HealthStatusUnhealthy, at(-3600)}}, at(10))
	if !changed || back.Health != shape.HealthStatusUnhealthy {
		t.Error("a node whose clock was set back is not believed")
	}
	s, _ = task.Fold(s, Report{Status: TaskStopped}, at(7))
	if _, changed := task.FoldHealth(s, []HealthReport{{"app", shape.HealthStatusUnhealthy, at(8)}}, at(10)); changed {
		t.Error("a stopped container changed its health")
	}
}

// A node whose clock is ahead does not make containers healthy in the future, nor what is no time at all a date that cannot be kept.
func TestHealthIsNotOfTheFuture(t *testing.T) {
	task, s := pair()
	for _, since := range []time.Time{at(3600), time.UnixMilli(math.MinInt64), time.UnixMilli(math.MaxInt64)} {
		next, changed := task.FoldHealth(s, []HealthReport{{"app", shape.HealthStatusHealthy, since}}, at(10))
		if got := next.Containers[0].HealthSince; !changed || !got.Equal(at(10)) {
			t.Errorf("since %v: %v", since, got)
		}
	}
	next, _ := task.FoldHealth(s, []HealthReport{{"app", shape.HealthStatusHealthy, at(5)}}, at(10))
	if got := next.Containers[0].HealthSince; !got.Equal(at(5)) {
		t.Errorf("since %v, want that of the node", got)
	}
}
