package tables

import (
	"errors"
	"iter"
	"maps"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// TasksByRegistry: the ARN of a registry. The tasks that are found in it while they run.
var TasksByRegistry = store.NewIndex(Tasks, "registry", func(t *ecs.Task) []string {
	var out []string
	for _, r := range t.Registries {
		out = append(out, aws.Val(r.RegistryArn))
	}
	return out
})

// RegisteringTasks: "". All that have a registry.
var RegisteringTasks = store.NewIndex(Tasks, "registering", func(t *ecs.Task) []string {
	if len(t.Registries) == 0 {
		return nil
	}
	return []string{""}
})

// Held is what service discovery holds of this wing's tasks.
type Held interface {
	// Held yields the registrations of a task by its ARN, "" for those of all tasks. Nothing is compared.
	Held(tx store.Tx, task string) iter.Seq[ecs.Registration]
	// Refusal is why a registration that is not there cannot be; nil when nothing speaks against it. Nothing is compared.
	Refusal(tx store.Tx, r ecs.Registration) error
}

// Amiss says whether service discovery holds something else of a task (by ARN) than it should, and could hold that.
func Amiss(tx store.Tx, d Discovery, h Held, task string) bool {
	v, _ := TaskOf(tx, task, PeekTask)
	held := heldBy(tx, h, task)
	for _, r := range v.Registries {
		arn := aws.Val(r.RegistryArn)
		is, there := held[arn]
		delete(held, arn)
		switch should, ok, err := wanted(tx, d, v, arn); {
		case err != nil: // what is there may stay: the task runs
		case !ok && there:
			return true
		case ok && !there && !should.Standing, ok && there && differs(should, is):
			return true
		}
	}
	return len(held) > 0
}

// Mend makes service discovery hold of a task (by ARN) what it should, in this transaction. It answers why it could not.
// Compares the task's desired state and status, and does what Discovery says for each of the task's registries and each that holds it.
func Mend(tx store.Tx, d Discovery, h Held, task string) error {
	v, known := TaskOf(tx, task, GetTask)
	held := heldBy(tx, h, task)
	if known {
		for _, r := range v.Registries {
			delete(held, aws.Val(r.RegistryArn))
		}
	}
	for _, r := range held {
		d.Drop(tx, r)
	}
	if !known {
		return nil
	}
	return Announce(tx, d, v)
}

func heldBy(tx store.Tx, h Held, task string) map[string]ecs.Registration {
	out := map[string]ecs.Registration{}
	for r := range h.Held(tx, task) {
		out[r.Registry] = r
	}
	return out
}

// TaskOf finds a task by its ARN.
func TaskOf(tx store.Tx, arn string, find func(store.Tx, string) (ecs.TaskView, bool)) (ecs.TaskView, bool) {
	none := ecs.TaskView{Task: &ecs.Task{}}
	a, ok := ecs.ParseARN(arn)
	if !ok || a.Kind != "task" || len(a.Parts) != 2 || a.Parts[0] == "" || a.Parts[1] == "" {
		return none, false
	}
	if v, ok := find(tx, MemberKey(a.Home, a.Parts[0], a.Parts[1])); ok {
		return v, true
	}
	return none, false
}

// wanted is what service discovery should hold of a task in one of its registries.
func wanted(tx store.Tx, d Discovery, v ecs.TaskView, registry string) (ecs.Registration, bool, error) {
	for _, r := range v.Registries {
		if aws.Val(r.RegistryArn) == registry && v.Running() {
			return registration(tx, d, v, r)
		}
	}
	return ecs.Registration{}, false, nil
}

// Unfound says why a task that should be found cannot be; "" when it is, or need not be.
func Unfound(tx store.Tx, d Discovery, h Held, v ecs.TaskView) string {
	if d == nil || h == nil || len(v.Registries) == 0 || !v.Running() {
		return ""
	}
	held := heldBy(tx, h, v.ARN())
	for _, r := range v.Registries {
		should, ok, err := registration(tx, d, v, r)
		if _, there := held[aws.Val(r.RegistryArn)]; err == nil && ok && !there && !should.Standing {
			err = h.Refusal(tx, should)
		}
		if e, ok := errors.AsType[*aws.Error](err); ok {
			return e.Message
		}
		if err != nil {
			return err.Error()
		}
	}
	return ""
}

// differs says whether a registration that is held is not as it should be.
func differs(should, is ecs.Registration) bool {
	return !maps.Equal(should.Attributes, is.Attributes) || should.Health != "" && should.Health != is.Health
}
