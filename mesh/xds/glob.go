package xds

import (
	"regexp"
	"strings"
)

// A glob is a pattern of AWS: * is any number of characters, ? is one.

func literal(glob string) bool { return !strings.ContainsAny(glob, "*?") }

// prefix is what a glob that ends in its only wildcard, *, asks for.
func prefix(glob string) (string, bool) {
	p, ok := strings.CutSuffix(glob, "*")
	return p, ok && literal(p)
}

// suffix is what a glob that begins with its only wildcard, *, asks for.
func suffix(glob string) (string, bool) {
	s, ok := strings.CutPrefix(glob, "*")
	return s, ok && literal(s)
}

// within is what a glob between two wildcards asks for.
func within(glob string) (string, bool) {
	s, ok := strings.CutPrefix(glob, "*")
	s, ends := strings.CutSuffix(s, "*")
	return s, ok && ends && s != "" && literal(s)
}

// expression is a glob as a regular expression, where any and one are what * and ? may be.
func expression(glob, many, one string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(glob, "") {
		switch part {
		case "*":
			b.WriteString(many)
		case "?":
			b.WriteString(one)
		default:
			b.WriteString(regexp.QuoteMeta(part))
		}
	}
	return b.String()
}

// oneOf is an expression of any of some.
func oneOf(some []string) string {
	if len(some) == 1 {
		return some[0]
	}
	return "(?:" + strings.Join(some, "|") + ")"
}

// globbed tells whether a glob takes all of text. Case counts: lower both where it does not.
func globbed(glob, text string) bool {
	g, t, star, back := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, back = g, t
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == text[t]):
			g++
			t++
		case star >= 0:
			back++
			g, t = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}
