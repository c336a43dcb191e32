package query

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Facts answers what is known of one container instance. A subject is as it stands in the expression, "attribute:" included.
type Facts interface {
	Fact(subject string) (value string, known bool)
	// TaskGroups are the groups of the tasks that should run on it.
	TaskGroups() []string
}

// Subjects that are not attributes.
const (
	AgentConnected    = "agentConnected"
	AgentVersion      = "agentVersion"
	EC2InstanceID     = "ec2InstanceId"
	RegisteredAt      = "registeredAt"
	RunningTasksCount = "runningTasksCount"
	TaskGroup         = "task:group"
)

// Match says whether the facts satisfy the expression.
func (e *Expr) Match(f Facts) bool { return e.root.match(f) }

type node interface{ match(Facts) bool }

type (
	anyOf    struct{ left, right node }
	allOf    struct{ left, right node }
	negation struct{ of node }
)

func (n anyOf) match(f Facts) bool    { return n.left.match(f) || n.right.match(f) }
func (n allOf) match(f Facts) bool    { return n.left.match(f) && n.right.match(f) }
func (n negation) match(f Facts) bool { return !n.of.match(f) }

type operator uint8

const (
	opEqual operator = iota
	opNotEqual
	opGreater
	opGreaterEqual
	opLess
	opLessEqual
	opMatches
	opNotMatches
	opExists
	opNotExists
	opIn
	opNotIn
)

type comparison struct {
	subject string
	op      operator
	values  []string
	pattern *regexp.Regexp // of opMatches and opNotMatches
	date    time.Time      // of registeredAt
}

// positive are the operators that negative ones deny.
var positive = map[operator]operator{opNotEqual: opEqual, opNotIn: opIn, opNotMatches: opMatches, opNotExists: opExists}

// inGroups is match for the subject of which an instance has many.
func (c comparison) inGroups(groups []string) bool {
	if o, negative := positive[c.op]; negative {
		c.op = o
		return !c.inGroups(groups)
	}
	return slices.ContainsFunc(groups, c.is)
}

func (c comparison) match(f Facts) bool {
	if c.subject == TaskGroup {
		return c.inGroups(f.TaskGroups())
	}
	v, known := f.Fact(c.subject)
	if c.op == opNotExists {
		return !known
	}
	return known && c.is(v)
}

// is compares a fact that is known.
func (c comparison) is(v string) bool {
	if !c.date.IsZero() {
		at, err := time.Parse(time.RFC3339, v)
		return err == nil && ordered(c.op, at.Compare(c.date))
	}
	switch c.op {
	case opExists:
		return true
	case opEqual, opIn:
		return slices.Contains(c.values, v)
	case opNotEqual, opNotIn:
		return !slices.Contains(c.values, v)
	case opMatches:
		return c.pattern.MatchString(v)
	case opNotMatches:
		return !c.pattern.MatchString(v)
	default:
		return ordered(c.op, compare(v, c.values[0]))
	}
}

func ordered(o operator, n int) bool {
	switch o {
	case opEqual:
		return n == 0
	case opNotEqual:
		return n != 0
	case opGreater:
		return n > 0
	case opGreaterEqual:
		return n >= 0
	case opLess:
		return n < 0
	default:
		return n <= 0
	}
}

// compare orders numbers and dotted versions (1.9.0 before 1.10.0) part by part, anything else, such as times, as text.
func compare(a, b string) int {
	x, ok := numbers(a)
	y, ok2 := numbers(b)
	if !ok || !ok2 {
		return strings.Compare(a, b)
	}
	return slices.Compare(x, y)
}

func numbers(s string) ([]int64, bool) {
	var out []int64
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}
