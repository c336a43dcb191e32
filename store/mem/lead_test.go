package mem_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// A leader whose guard failed competes again: it learned of its end before the election told.
func TestLeadCompetesAgainAfterNotLeader(t *testing.T) {
	s := mem.Open(nil, mem.Options{})
	terms := 0
	err := s.Lead(t.Context(), func(context.Context, store.Store) error {
		if terms++; terms < 3 {
			return fmt.Errorf("loop: %w", store.ErrNotLeader)
		}
		return nil
	})
	if err != nil || terms != 3 {
		t.Errorf("%d terms, error %v", terms, err)
	}
}
