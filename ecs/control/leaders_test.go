package control_test

import (
	"context"
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// At the turn of leadership two servers may believe that they lead. They act on the same plans, and no task is started twice.
func TestTwoLeadersNeverActBoth(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		loops, err := control.New(control.Config{})
		if err != nil {
			t.Fatal(err)
		}
		other := r.store.Join(tables.Schema(), mem.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- loops.Run(ctx, other) }()

		for n := range int32(8) {
			if n == 0 {
				r.create(1)
			} else {
				r.change(func(s *ecs.Service) { s.DesiredCount += n })
				r.deploy(1 + n%2)
			}
			r.settle()
			started := len(r.tasks(tables.Live))
			var want int32
			r.view(func(tx store.Tx) {
				s, _ := tables.Services.Peek(tx, serviceKey())
				want = s.DesiredCount
			})
			if started != int(want) {
				t.Errorf("round %d: %d tasks, %d wanted", n, started, want)
			}
		}
		total := r.count("")["task"]
		if most := 1 + 2 + 4 + 7 + 11 + 16 + 22 + 29; total > most {
			t.Errorf("%d tasks were started, %d are enough", total, most)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}, "a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3")
}
