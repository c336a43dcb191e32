package session

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestOutbox(t *testing.T) {
	var o Outbox
	t0 := time.Unix(1000, 0)
	if !o.Wants("a", 5) {
		t.Fatal("a new task is not wanted")
	}
	o.Sent("a", 5, "m1", t0)
	if o.Wants("a", 5) || o.Wants("a", 4) {
		t.Error("a version that was sent is wanted again")
	}
	o.Sent("a", 9, "m2", t0)
	if o.Ack("m1") {
		t.Error("the acknowledgement of an older version counts")
	}
	if got := o.Overdue(t0.Add(time.Second)); !cmp.Equal(got, []string{"a"}) || !o.Wants("a", 9) {
		t.Errorf("overdue: %v", got)
	}
	o.Sent("a", 9, "m3", t0)
	if !o.Ack("m3") || o.Ack("m3") || o.Waiting() != 0 {
		t.Error("an acknowledgement counts once")
	}
	if got := o.Overdue(t0.Add(time.Hour)); got != nil {
		t.Errorf("acknowledged tasks are overdue: %v", got)
	}
}

// Whatever is sent, acknowledged and forgotten: the newest version of each task is
// either acknowledged, awaited, or wanted.
func TestOutboxNeverLosesAVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Outbox
		now := time.Unix(0, 0)
		newest, message, acked := map[string]int64{}, map[string]string{}, map[string]bool{}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			task := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "task")
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				seq := int64(i + 1)
				newest[task], message[task], acked[task] = seq, fmt.Sprint("m", i), false
				o.Sent(task, seq, message[task], now)
			case 1:
				if m, ok := message[task]; ok && o.Ack(m) {
					acked[task] = true
				}
			case 2:
				now = now.Add(time.Minute)
				o.Overdue(now)
			}
			for task, seq := range newest {
				d, awaited := o.tasks[task], false
				if d != nil {
					_, awaited = o.messages[d.message]
				}
				if !acked[task] && !awaited && !o.Wants(task, seq) {
					t.Fatalf("version %d of %s is lost", seq, task)
				}
			}
		}
	})
}
