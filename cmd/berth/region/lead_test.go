package region

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// All loops run at once under one leadership, and the end of one is the end of all.
func TestLoopsLeadTogether(t *testing.T) {
	s := mem.Open(Schema(), mem.Options{})
	defer s.Close()
	var met sync.WaitGroup
	met.Add(3)
	over := errors.New("over")
	loop := func(end error) func(context.Context, store.Store) error {
		return func(ctx context.Context, _ store.Store) error {
			met.Done()
			met.Wait() // for ever, if they took turns
			if end != nil {
				return end
			}
			<-ctx.Done()
			return nil
		}
	}
	if err := lead(t.Context(), s, loop(nil), loop(over), loop(nil)); !errors.Is(err, over) {
		t.Errorf("ended with %v", err)
	}
}
