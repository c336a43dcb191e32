package query_test

import (
	"testing"

	"github.com/berth-ecs/berth/ecs/place/query"
)

// Whatever is written, Parse answers; what it accepts evaluates, always the same; and spaces around it, parentheses and
// two negations change nothing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`attribute:ecs.instance-type == t2.small`,
		`attribute:ecs.availability-zone in [us-east-1a, us-east-1b] and not(attribute:ssd !exists)`,
		`agentVersion >= 1.90.0 or runningTasksCount > 3 && agentConnected == true`,
		`attribute:ecs.instance-type =~ g2.* and attribute:ssd exists`,
		`registeredAt >= 2016-01-01T00:00+02:00`,
		`attribute:a =~ (x|y)){2,3} || !(attribute:b != "q")`,
		`attribute:a not_in ['x', "y"]`,
		"", "((((", `attribute:a == "`, "!", "attribute: == a", `attribute:a =~ `,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := query.Parse(s)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal says nothing")
			}
			return
		}
		got := e.Match(instance)
		if e.Match(instance) != got {
			t.Error("a second look differs")
		}
		e.Match(facts{})
		for _, same := range []string{" " + s + " ", "( " + s + " )", "not(not( " + s + " ))"} {
			if o, err := query.Parse(same); err == nil && o.Match(instance) != got {
				t.Errorf("%q is %v, %q is not", s, got, same)
			}
		}
	})
}
