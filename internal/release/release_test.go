package release

import (
	"strings"
	"testing"
)

func TestTogether(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want bool
	}{{2, 2, true}, {2, 3, true}, {3, 2, true}, {2, 4, false}, {4, 2, false}, {0, 1, true}, {0, 2, true}, {0, 3, false}} {
		a, b := Said(c.a, "a"), Said(c.b, "b")
		if got := Together(a, b); got != c.want || got != Together(b, a) {
			t.Errorf("%d and %d: %v", c.a, c.b, got)
		}
	}
}

func TestWhatIsSaidIsRead(t *testing.T) {
	for _, p := range []Program{{2, "v1.2.3"}, {17, "devel"}, {1, "v1 dirty"}} {
		if got := Parse(p.String()); got != p {
			t.Errorf("%v became %v", p, got)
		}
	}
	for _, text := range []string{"", "x", "-3 v1", "99999999999999999999 v"} {
		if got := Parse(text); got.Level != first {
			t.Errorf("%q is %v", text, got)
		}
	}
	if p := This("v1"); p.Level < 2 || p.Version != "v1" {
		t.Errorf("this is %v", p)
	}
	if got := Apart("the node", Said(0, ""), "this server", Said(3, "v3")); !strings.Contains(got, "level 1 (berth of before") || !strings.Contains(got, Rule) {
		t.Error(got)
	}
}
