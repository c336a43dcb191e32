package vpc

import (
	"fmt"
	"slices"
	"strings"
)

// Filter is one filter of a Describe call: a field, and patterns of which one must fit.
type Filter struct {
	Name   string
	Values []string
}

// Fields tells the values of what can be filtered by, by the filter's name.
type Fields[T any] map[string]func(T) []string

// FilterError is a filter that a list does not have, or that asks for nothing or for too much.
type FilterError struct {
	Code    string // of EC2; "" for that of a bad value
	Message string
}

// MaxFilterValues is how many values the filters of one call may have.
const MaxFilterValues = 200

// Error implements error.
func (e *FilterError) Error() string { return e.Message }

// Check refuses filters that a list of T does not have.
func (f Fields[T]) Check(filters []Filter) error {
	values := 0
	for _, filter := range filters {
		values += len(filter.Values)
		switch {
		case f[filter.Name] == nil:
			return &FilterError{Message: fmt.Sprintf("The filter '%s' is invalid", filter.Name)}
		case len(filter.Values) == 0:
			return &FilterError{Message: fmt.Sprintf("The filter '%s' has no value", filter.Name)}
		case values > MaxFilterValues:
			return &FilterError{"FilterLimitExceeded", fmt.Sprintf("The maximum number of filter values specified on a single call is %d", MaxFilterValues)}
		}
	}
	return nil
}

// Match says whether every filter has a value that fits; the filters must have passed Check.
func (f Fields[T]) Match(filters []Filter, item T) bool {
	for _, filter := range filters {
		has := f[filter.Name](item)
		if !slices.ContainsFunc(filter.Values, func(pattern string) bool {
			return slices.ContainsFunc(has, func(value string) bool { return fits(pattern, value) })
		}) {
			return false
		}
	}
	return true
}

// Literal says whether a pattern is only the text that it is.
func Literal(pattern string) bool { return !strings.ContainsAny(pattern, `*?\`) }

// fits matches one value: * is any text, ? one character, a backslash takes the next one as it is.
func fits(pattern, value string) bool {
	p, v := []rune(pattern), []rune(value)
	// Where to go on when what was tried fails: after the last star, one character further.
	star, again := -1, 0
	i, j := 0, 0
	for j < len(v) {
		if i < len(p) && p[i] == '*' {
			star, again = i, j
			i++
			continue
		}
		if n := one(p[i:], v[j]); n > 0 {
			i += n
			j++
			continue
		}
		if star < 0 {
			return false
		}
		again++
		i, j = star+1, again
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

// one says how much of a pattern matches one character; 0: it does not.
func one(p []rune, r rune) int {
	switch {
	case len(p) == 0:
		return 0
	case p[0] == '?':
		return 1
	case p[0] == '\\' && len(p) > 1:
		if p[1] == r {
			return 2
		}
		return 0
	case p[0] == r:
		return 1
	}
	return 0
}
