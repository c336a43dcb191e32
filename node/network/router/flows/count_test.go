package flows

import "testing"

func TestSpent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    int
		had  bool
		want bool
	}{{100, false, false}, {101, false, true}, {101, true, true}, {91, true, true}, {90, true, false}, {91, false, false}} {
		if got := Spent(test.n, 100, test.had); got != test.want {
			t.Errorf("%d of 100, stopped %t: %t", test.n, test.had, got)
		}
	}
}
