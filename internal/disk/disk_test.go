package disk

import "testing"

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		used, free uint64
		want       int
	}{{0, 0, 0}, {0, 100, 0}, {50, 50, 50}, {851, 149, 86}, {100, 0, 100}, {1, 999, 1}} {
		if got := percent(c.used, c.free); got != c.want {
			t.Errorf("%d used, %d free: %d, want %d", c.used, c.free, got, c.want)
		}
	}
}

func TestUsed(t *testing.T) {
	if n, err := Used(t.TempDir()); err != nil || n < 0 || n > 100 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := Size(t.TempDir()); err != nil || n <= 0 {
		t.Errorf("size %d, %v", n, err)
	}
	if _, err := Size("/no/such/path"); err == nil {
		t.Error("the size of a path that is not there")
	}
	if _, err := Used("/no/such/path"); err == nil {
		t.Error("a path that is not there")
	}
}
