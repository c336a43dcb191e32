package ecs

import (
	"testing"
	"time"
)

// Servers whose clocks differ write the parts of a task; what is shown is in order.
func TestStoppingIsBetweenStartAndEnd(t *testing.T) {
	minute := func(n int) time.Time { return time.Unix(int64(n)*60, 0).UTC() }
	for _, tt := range []struct{ created, started, stopping, stopped, want time.Time }{
		{minute(1), minute(2), minute(5), minute(6), minute(5)},
		{minute(1), minute(4), minute(3), minute(6), minute(4)},
		{minute(4), time.Time{}, minute(1), time.Time{}, minute(4)},
		{minute(1), minute(2), minute(9), minute(6), minute(6)},
	} {
		v := TaskView{Task: &Task{CreatedAt: tt.created}, Status: &TaskStatus{StartedAt: tt.started, StoppedAt: tt.stopped}, Desired: &TaskDesired{StoppingAt: tt.stopping}}
		if got := stopping(v); got == nil || !got.Equal(tt.want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if got := stopping(TaskView{Task: &Task{CreatedAt: minute(1)}, Status: &TaskStatus{}, Desired: &TaskDesired{}}); got != nil {
		t.Errorf("a task that nobody stops is stopping since %v", got)
	}
}
