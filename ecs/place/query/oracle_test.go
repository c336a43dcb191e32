package query_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs/place/query"
)

// wish is an expression as text and what it has to answer, found out without the parser.
type wish struct {
	text string
	want bool
}

// leaf draws a comparison of the attribute a, b or c, of which an instance may have any, with 1 to 3.
func leaf(t *rapid.T, f facts) wish {
	name := "attribute:" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
	arg := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "argument")
	v, has := f[name]
	op := rapid.SampledFrom([]struct {
		signs []string
		list  bool
		bare  bool
		want  bool
	}{
		{[]string{"==", "equals"}, false, false, has && v == arg},
		{[]string{"!=", "not_equals"}, false, false, has && v != arg},
		{[]string{">", "greater_than"}, false, false, has && v > arg},
		{[]string{">=", "greater_than_equal"}, false, false, has && v >= arg},
		{[]string{"<", "less_than"}, false, false, has && v < arg},
		{[]string{"<=", "less_than_equal"}, false, false, has && v <= arg},
		{[]string{"in"}, true, false, has && v == arg},
		{[]string{"!in", "not_in"}, true, false, has && v != arg},
		{[]string{"=~", "matches"}, false, false, has && v == arg},
		{[]string{"!~", "not_matches"}, false, false, has && v != arg},
		{[]string{"exists"}, false, true, has},
		{[]string{"!exists", "not_exists"}, false, true, !has},
	}).Draw(t, "operator")
	sign := rapid.SampledFrom(op.signs).Draw(t, "sign")
	switch {
	case op.bare:
		return wish{name + " " + sign, op.want}
	case op.list:
		return wish{fmt.Sprintf("%s %s [%s]", name, sign, arg), op.want}
	}
	return wish{fmt.Sprintf("%s %s %s", name, sign, arg), op.want}
}

func compound(t *rapid.T, f facts, depth int) wish {
	if depth == 0 {
		return leaf(t, f)
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		x := compound(t, f, depth-1)
		return wish{rapid.SampledFrom([]string{"not", "!"}).Draw(t, "not") + "(" + x.text + ")", !x.want}
	case 1:
		x, y := compound(t, f, depth-1), compound(t, f, depth-1)
		return wish{"(" + x.text + ") " + rapid.SampledFrom([]string{"and", "&&", "AND"}).Draw(t, "and") + " (" + y.text + ")", x.want && y.want}
	case 2:
		x, y := compound(t, f, depth-1), compound(t, f, depth-1)
		return wish{"(" + x.text + ") " + rapid.SampledFrom([]string{"or", "||"}).Draw(t, "or") + " (" + y.text + ")", x.want || y.want}
	default: // without parentheses: and binds closer
		x, y, z := leaf(t, f), leaf(t, f), leaf(t, f)
		return wish{x.text + " or " + y.text + " and " + z.text, x.want || y.want && z.want}
	}
}

func TestExpressionsMeanWhatTheySay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := facts{}
		for _, name := range []string{"attribute:a", "attribute:b", "attribute:c"} {
			if v := rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, name); v != "" {
				f[name] = v
			}
		}
		w := compound(t, f, rapid.IntRange(0, 3).Draw(t, "depth"))
		e, err := query.Parse(w.text)
		if err != nil {
			t.Fatalf("%s: %v", w.text, err)
		}
		if got := e.Match(f); got != w.want {
			t.Errorf("%s of %v: got %v, want %v", w.text, f, got, w.want)
		}
	})
}

// Whatever is written, Parse answers; what it accepts evaluates, and its denial evaluates to the opposite.
func FuzzDenial(f *testing.F) {
	for _, s := range []string{
		"attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d", "not(task:group == database)",
		"ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", "registeredAt < 2018-02-13", "(agentVersion < 1.14.5) || !(runningTasksCount == 1)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := query.Parse(s)
		if err != nil {
			if !strings.Contains(err.Error(), "offset") && !strings.Contains(err.Error(), "than") {
				t.Errorf("%q: an error that does not say where: %v", s, err)
			}
			return
		}
		yes := e.Match(instance)
		if not, err := query.Parse("not(" + s + ")"); err == nil && not.Match(instance) == yes {
			t.Errorf("%q and its denial are both %v", s, yes)
		}
	})
}
