package keyed

import (
	"sync"
	"testing"
)

func TestNamesExcludeOnlyThemselves(t *testing.T) {
	t.Parallel()
	var m Mutex
	other := m.Lock("b") // must not hinder a
	counts := map[string]int{}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			defer m.Lock("a")()
			counts["a"]++ // the race detector looks here
		})
	}
	wg.Wait()
	other()
	if counts["a"] != 100 || len(m.locks) != 0 {
		t.Errorf("counted %d, %d names are kept", counts["a"], len(m.locks))
	}
}

func TestReadersShare(t *testing.T) {
	t.Parallel()
	var m Mutex
	first := m.RLock("a")
	second := m.RLock("a") // would wait for ever if they excluded each other
	held := make(chan struct{})
	go func() {
		defer close(held)
		m.Lock("a")()
	}()
	select {
	case <-held:
		t.Error("a writer came in beside readers")
	default:
	}
	first()
	second()
	<-held
}
