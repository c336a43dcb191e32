package query

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// subject is what can be asked of an instance, and how.
type subject struct {
	name      string
	operators []operator
	argument  func(c *comparison, text string) error // optional; the form of a single argument
}

var (
	equality = []operator{opEqual, opNotEqual}
	order    = append([]operator{opGreater, opGreaterEqual, opLess, opLessEqual}, equality...)
	text     = append([]operator{opIn, opNotIn, opMatches, opNotMatches}, equality...)
	presence = []operator{opExists, opNotExists}
)

// subjects are those that are not attributes, with the operators that ECS documents for each.
var subjects = []subject{
	{AgentConnected, text, nil},
	{AgentVersion, order, nil},
	{EC2InstanceID, text, nil},
	{RegisteredAt, order, date},
	{RunningTasksCount, order, count},
	{TaskGroup, append(append([]operator{}, text...), presence...), nil},
}

// attribute has every operator.
var attribute = subject{"attribute:", append(append(append([]operator{}, text...), presence...), order...), nil}

func subjectOf(t token) (subject, bool) {
	if t.kind != word {
		return subject{}, false
	}
	if name, ok := strings.CutPrefix(t.text, attribute.name); ok {
		return attribute, name != ""
	}
	for _, s := range subjects {
		if s.name == t.text {
			return s, true
		}
	}
	return subject{}, false
}

func subjectNames() []string {
	names := make([]string, len(subjects))
	for i, s := range subjects {
		names[i] = s.name
	}
	return names
}

func count(_ *comparison, s string) error {
	if _, err := strconv.ParseUint(s, 10, 31); err != nil {
		return errors.New("a number is expected")
	}
	return nil
}

// layouts are ECS's date formats; without a zone, UTC is meant.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly}

func date(c *comparison, s string) error {
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			c.date = t
			return nil
		}
	}
	return errors.New("a date such as 2018-06-18T22:28:28+00:00, 2018-06-18T22:28:28Z, 2018-06-18T22:28:28 or 2018-06-18 is expected")
}
