package control

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/cloudmap/tables"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// Route 53's times: between two checks of an instance, and how many go on at once here.
const (
	between = 30 * time.Second
	workers = 128
)

// checks checks instances. Keys are those of instances; how a check went is known to this leader only.
type checks struct {
	*Loops
	store store.Store

	mu   sync.Mutex
	runs map[string]run
}

// run is what is known of an instance's checks.
type run struct {
	of     *cloudmap.Instance // this registration of it
	at     time.Time
	streak cloudmap.Streak
}

func newChecks(l *Loops, s store.Store) *checks {
	return &checks{Loops: l, store: s, runs: map[string]run{}}
}

func (l *checks) config() loop.Config {
	return loop.Config{
		Name: "cloudmap-checks", Store: l.store, Tables: []string{tables.Instances.Name(), tables.Services.Name()}, Workers: workers,
		Dirty: dirty,
		All: func(tx store.Tx) iter.Seq[string] {
			return func(yield func(string) bool) {
				for _, s := range tables.ServicesWithCheck.List(tx, "", "") {
					for k := range tables.InstancesIn(tx, s) {
						if !yield(k) {
							return
						}
					}
				}
			}
		},
		Reconcile: l.check,
	}
}

// dirty are the instances that a change concerns: those of services with a check, and all when the check is another.
func dirty(tx store.Tx, c store.Change) []string {
	if was, now, ok := tables.Instances.Of(c); ok {
		i := now
		if i == nil {
			i = was
		}
		if s, ok := tables.Services.Peek(tx, tables.Key(i.Home, i.Service)); ok && s.Check != nil {
			return []string{c.Key}
		}
		return nil
	}
	was, now, ok := tables.Services.Of(c)
	if !ok || was == nil || now == nil || was.Check == nil && now.Check == nil {
		return nil
	}
	var keys []string
	for k := range tables.InstancesIn(tx, now) {
		keys = append(keys, k)
	}
	return keys
}

// subject is an instance that is to be checked.
type subject struct {
	namespace *cloudmap.Namespace
	service   *cloudmap.Service
	instance  *cloudmap.Instance
	status    string
}

// check checks one instance, if its time has come, and writes its health when that changes.
func (l *checks) check(ctx context.Context, key string) (loop.Result, error) {
	s, err := l.read(ctx, key)
	if err != nil || s == nil {
		l.mu.Lock()
		delete(l.runs, key)
		l.mu.Unlock()
		return loop.Result{}, err
	}
	last := l.last(key)
	if last.of == s.instance {
		if wait := between - time.Since(last.at); wait > 0 {
			return loop.Result{After: wait}, nil
		}
	} else {
		last = run{of: s.instance}
	}
	last.at = time.Now()
	wrong := l.probe(ctx, s)
	if ctx.Err() != nil {
		return loop.Result{}, ctx.Err()
	}
	l.count(wrong)
	next, streak := s.service.Check.Judge(s.status, wrong == nil, last.streak)
	last.streak = streak
	if next != s.status {
		l.Log.Info("the health of an instance changed", "service", s.instance.Service, "instance", s.instance.ID, "status", next, "check", wrong)
		if err := l.write(ctx, s.instance, next); err != nil {
			return loop.Result{}, err
		}
	}
	l.mu.Lock()
	l.runs[key] = last
	l.mu.Unlock()
	return loop.Result{After: max(time.Millisecond, between-time.Since(last.at))}, nil
}

func (l *checks) count(wrong error) {
	result := "passed"
	if wrong != nil {
		result = "failed"
	}
	l.checked.WithLabelValues(result).Inc()
}

func (l *checks) last(key string) run {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs[key]
}

// read answers what is to be checked; nil when nothing is. What is known of a health that nobody judges any more is forgotten.
func (l *checks) read(ctx context.Context, key string) (*subject, error) {
	var s *subject
	stale := false
	err := l.store.View(ctx, store.Any, func(tx store.Tx) error {
		i, ok := tables.Instances.Peek(tx, key)
		if !ok {
			return nil
		}
		service, ok := tables.Services.Peek(tx, tables.Key(i.Home, i.Service))
		if !ok {
			return nil
		}
		if service.Check == nil {
			_, judged := tables.Healths.Peek(tx, key)
			stale = judged && service.Custom == nil
			return nil
		}
		if n, ok := tables.Namespaces.Peek(tx, tables.Key(i.Home, service.Namespace)); ok {
			s = &subject{n, service, i, tables.Health(tx, service, i)}
		}
		return nil
	})
	if err == nil && stale {
		err = l.store.Update(ctx, func(tx store.Tx) error {
			if i, ok := tables.Instances.Get(tx, key); ok {
				if service, ok := tables.Services.Get(tx, tables.Key(i.Home, i.Service)); ok && service.Check == nil {
					tables.Healths.Delete(tx, key)
				}
			}
			return nil
		})
	}
	return s, err
}

// write changes the health of an instance that is still registered as it was checked.
func (l *checks) write(ctx context.Context, i *cloudmap.Instance, status string) error {
	err := l.store.Update(ctx, func(tx store.Tx) error {
		now, ok := tables.Instances.Get(tx, tables.InstanceKey(i.Home, i.Service, i.ID))
		if !ok || !now.RegisteredAt.Equal(i.RegisteredAt) {
			return nil
		}
		_, err := tables.SetHealth(tx, tables.Ref{Home: i.Home, Service: i.Service, Instance: i.ID}, status)
		return err
	})
	if _, gone := errors.AsType[*aws.Error](err); gone {
		return nil
	}
	return err
}
