package flight

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

func TestAWaiterMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Calls[string]
		goOn := make(chan struct{})
		work := func(ctx context.Context) (string, error) {
			select {
			case <-goOn:
				return "x", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		impatient, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Do(impatient, "k", work); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			got, err := s.Do(t.Context(), "k", func(context.Context) (string, error) {
				t.Error("a second call began")
				return "", nil
			})
			if err != nil || got != "x" {
				t.Errorf("the one who stayed: %q %v", got, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(goOn)
		wg.Wait()
	})
}

func TestTheLastOneWhoLeavesEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Calls[string]
		ended := make(chan struct{})
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			_, _ = s.Do(ctx, "k", func(ctx context.Context) (string, error) {
				<-ctx.Done()
				close(ended)
				return "", ctx.Err()
			})
		}()
		synctest.Wait()
		leave()
		<-ended
		if got, err := s.Do(t.Context(), "k", func(context.Context) (string, error) { return "anew", nil }); err != nil || got != "anew" {
			t.Errorf("who comes then: %q %v", got, err)
		}
	})
}
