package engine

import (
	"context"
	"testing"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/runtime"
)

type noRegistries struct{}

func (noRegistries) Login(context.Context, plan.Registry, bool) (runtime.Login, error) {
	return runtime.Login{}, nil
}

// What a pull found is shared by those that sign in as the same, so each says as what.
func TestAPullSaysAsWhatItSignsIn(t *testing.T) {
	t.Parallel()
	e, seen := &Engine{cfg: Config{Registries: noRegistries{}}}, map[string]bool{}
	for _, r := range []*plan.Registry{nil, {ID: "1", Region: "a"}, {ID: "2", Region: "a"}, {ID: "1", Region: "b"}, {ID: "1", Region: "a", Endpoint: "e"}} {
		how := e.pull("task", &plan.Container{Registry: r})
		if seen[how.LoginAs] || (how.Login == nil) != (how.LoginAs == "") {
			t.Errorf("%+v signs in as %q", r, how.LoginAs)
		}
		seen[how.LoginAs] = true
	}
}
