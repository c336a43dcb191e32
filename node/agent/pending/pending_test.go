package pending

import (
	"context"
	"errors"
	"testing"
)

func TestWork(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	w, broken := New(), errors.New("broken")
	if err := w.Wait(over); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := w.Over(over); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	go w.End(broken)
	if err := w.Over(t.Context()); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := w.Wait(t.Context()); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
}
