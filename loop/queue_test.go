package loop

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	epoch   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	errTest = errors.New("test")
)

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func testQueue() *queue { return newQueue(Backoff{Min: 100 * time.Millisecond, Max: time.Second}) }

func TestQueueTakesInOrderOfTime(t *testing.T) {
	q := testQueue()
	q.mark("b", at(5))
	q.mark("a", at(5))
	q.mark("c", at(9))
	q.mark("c", at(1))
	q.mark("c", at(7))
	var got []string
	for {
		key, _, ok := q.next(at(5))
		if !ok {
			break
		}
		got = append(got, key)
	}
	if !slices.Equal(got, []string{"c", "a", "b"}) {
		t.Errorf("took %q", got)
	}
}

func TestQueueNeverRunsAKeyTwiceAtOnce(t *testing.T) {
	q := testQueue()
	q.mark("a", at(0))
	q.next(at(0))
	q.mark("a", at(1))
	q.mark("a", at(3))
	if key, _, ok := q.next(at(9)); ok {
		t.Fatalf("took %q, which runs", key)
	}
	q.done("a", Result{After: time.Hour}, nil, at(9))
	if _, due, ok := q.next(at(9)); !ok || !due.Equal(at(1)) {
		t.Errorf("a mark while it ran was lost: %v, %v", due, ok)
	}
	q.done("a", Result{After: time.Hour}, nil, at(9))
	if _, due, _ := q.next(at(9)); !due.Equal(at(9).Add(time.Hour)) {
		t.Errorf("due at %v", due)
	}
}

func TestQueueBacksOff(t *testing.T) {
	q := testQueue()
	q.mark("a", at(0))
	now := at(0)
	for _, want := range []int{100, 200, 400, 800, 1000, 1000} {
		q.next(now)
		q.done("a", Result{}, errTest, now)
		_, due, _ := q.next(now)
		if got := due.Sub(now); got != time.Duration(want)*time.Millisecond {
			t.Errorf("waits %v, want %d ms", got, want)
		}
		now = due
	}
	q.next(now)
	if n := q.done("a", Result{}, nil, now); n != 0 || len(q.items) != 0 {
		t.Errorf("after success: %d failures, %d items kept", n, len(q.items))
	}
}

// Whatever happens, a marked key runs after its last mark, alone, and nothing stays behind.
func TestQueueProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, now := testQueue(), epoch
		running, owed := map[string]bool{}, map[string]bool{}
		keys := rapid.SampledFrom([]string{"a", "b", "c"})
		t.Repeat(map[string]func(*rapid.T){
			"mark": func(t *rapid.T) {
				k := keys.Draw(t, "key")
				q.mark(k, now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "wait"))*time.Millisecond))
				owed[k] = true
			},
			"next": func(t *rapid.T) {
				k, _, ok := q.next(now)
				if !ok {
					return
				}
				if running[k] {
					t.Fatalf("%s runs twice", k)
				}
				running[k], owed[k] = true, false
			},
			"done": func(t *rapid.T) {
				k := keys.Draw(t, "key")
				if !running[k] {
					return
				}
				var err error
				if rapid.Bool().Draw(t, "fails") {
					err, owed[k] = errTest, true
				}
				q.done(k, Result{}, err, now)
				running[k] = false
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Millisecond) },
			"": func(t *rapid.T) {
				for k, o := range owed {
					if o && q.items[k] == nil {
						t.Fatalf("%s is owed a run and forgotten", k)
					}
				}
			},
		})
	})
}
