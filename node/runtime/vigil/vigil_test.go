package vigil

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shims answers when it is told to, and notes who was ended and when.
type shims struct {
	answers atomic.Bool
	ended   []time.Duration
	begun   time.Time
}

func (s *shims) vigil() *Vigil {
	s.begun = time.Now()
	return &Vigil{
		Answers: func(ctx context.Context, _ string) bool {
			if !s.answers.Load() {
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
			return s.answers.Load()
		},
		End: func(context.Context, string) {
			s.ended = append(s.ended, time.Since(s.begun))
			s.answers.Store(true)
		},
	}
}

func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

const (
	task     = "a"
	patience = 10 * time.Second
)

func TestWhatAnswersIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shims{}
		s.answers.Store(true)
		stop := s.vigil().Keep(t.Context(), task, patience)
		wait(time.Hour)
		s.answers.Store(false)
		wait(patience) // it is asked every so often only
		s.answers.Store(true)
		wait(time.Hour)
		stop()
		if len(s.ended) != 0 {
			t.Errorf("ended after %v", s.ended)
		}
	})
}

func TestWhatHangsIsEndedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shims{}
		stop := s.vigil().Keep(t.Context(), task, patience)
		wait(time.Hour)
		stop()
		if len(s.ended) != 1 || s.ended[0] < patience || s.ended[0] > 2*patience {
			t.Errorf("ended after %v", s.ended)
		}
	})
}

// Who waits less than the patience there is asks again; together they waited for long enough.
func TestSilenceIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shims{}
		v := s.vigil()
		for range 10 {
			stop := v.Keep(t.Context(), task, patience)
			wait(patience / 2)
			stop()
		}
		if len(s.ended) != 1 {
			t.Errorf("ended after %v", s.ended)
		}
	})
}

// A silence of long ago says nothing of one now, nor does what another task's shim does.
func TestSilenceIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shims{}
		v := s.vigil()
		for _, of := range []string{task, "b", task} {
			stop := v.Keep(t.Context(), of, patience)
			wait(patience * 2 / 3)
			stop()
			if of == "b" {
				wait(2 * forget)
			}
		}
		if len(s.ended) != 0 {
			t.Errorf("ended after %v", s.ended)
		}
	})
}
