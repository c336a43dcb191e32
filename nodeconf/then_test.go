package nodeconf

import (
	"testing"

	"pgregory.net/rapid"
)

// Two changes made one lead where both lead one after the other, and neither the second change nor what was told before is touched.
func TestThen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := configs(1).Draw(t, "a"), configs(2).Draw(t, "b"), configs(3).Draw(t, "c")
		first, second := Diff(a, b), Diff(b, c)
		if rapid.Bool().Draw(t, "whole") {
			second = Delta{To: 3, Set: c.Resources}
		}
		before := second.Set.Text()
		var both Delta
		both.From = 1
		both.Then(first)
		both.Then(second)
		if second.Set.Text() != before {
			t.Fatal("the second change was changed")
		}
		if both.From != 0 {
			both.From = 1
		}
		if err := a.Apply(both); err != nil {
			t.Fatal(err)
		}
		if a.Text() != c.Text() || a.Version != 3 {
			t.Fatalf("got version %d\n%swant\n%s", a.Version, a.Text(), c.Text())
		}
	})
}
