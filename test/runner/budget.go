package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// budget is a parsed budget file. One line is one group:
//
//	name limit [-flag...] [NAME=value...] pattern...
//
// A pattern is ./dir (one package) or ./dir/... (it and those below). The line "once" says that each package belongs to
// one group, the one with the longest pattern that matches it, and that a package in none is an error.
type budget struct {
	once  bool
	lines []line
}

type line struct {
	name     string
	limit    time.Duration
	flags    []string
	environ  []string
	patterns []string
}

// group is a line with the packages that fell to it.
type group struct {
	line
	packages []string
}

func parseBudget(text string) (budget, error) {
	var b budget
	number := 0
	for raw := range strings.Lines(text) {
		number++
		raw, _, _ = strings.Cut(raw, "#")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case len(words) == 1 && words[0] == "once":
			b.once = true
		default:
			l, err := parseLine(words)
			if err != nil {
				return budget{}, fmt.Errorf("line %d: %w", number, err)
			}
			if slices.ContainsFunc(b.lines, func(o line) bool { return o.name == l.name }) {
				return budget{}, fmt.Errorf("line %d: group %q stands there twice", number, l.name)
			}
			b.lines = append(b.lines, l)
		}
	}
	return b, nil
}

var environRule = regexp.MustCompile(`^[A-Z][A-Z0-9_]*=`)

func parseLine(words []string) (line, error) {
	if len(words) < 3 {
		return line{}, fmt.Errorf("want: name limit pattern..., got %q", strings.Join(words, " "))
	}
	limit, err := time.ParseDuration(words[1])
	if err != nil || limit <= 0 {
		return line{}, fmt.Errorf("%q is not a limit such as 2m", words[1])
	}
	l := line{name: words[0], limit: limit}
	for _, w := range words[2:] {
		switch {
		case strings.HasPrefix(w, "./"):
			l.patterns = append(l.patterns, w)
		case strings.HasPrefix(w, "-"):
			l.flags = append(l.flags, w)
		case environRule.MatchString(w):
			l.environ = append(l.environ, w)
		default:
			return line{}, fmt.Errorf("%q is neither a pattern (./dir), a flag (-x) nor a variable (NAME=value)", w)
		}
	}
	if len(l.patterns) == 0 {
		return line{}, fmt.Errorf("group %q has no pattern", l.name)
	}
	return l, nil
}

// assign gives every package to the group it belongs to, or to every group that matches when the budget is not "once".
func (b budget) assign(packages []string) ([]group, error) {
	groups := make([]group, len(b.lines))
	for i, l := range b.lines {
		groups[i].line = l
	}
	for _, p := range packages {
		best, longest := -1, -1
		for i, l := range b.lines {
			length := l.match(p)
			if length < 0 {
				continue
			}
			if !b.once {
				groups[i].packages = append(groups[i].packages, p)
			} else if length > longest {
				best, longest = i, length
			}
		}
		if b.once && best < 0 {
			return nil, fmt.Errorf("package %s is in no group", p)
		}
		if best >= 0 {
			groups[best].packages = append(groups[best].packages, p)
		}
	}
	return groups, nil
}

// match returns the length of the longest pattern of l that matches p, or -1.
func (l line) match(p string) int {
	longest := -1
	for _, pattern := range l.patterns {
		dir, below := strings.CutSuffix(pattern, "/...")
		if p == dir || (below && (strings.HasPrefix(p, dir+"/"))) {
			longest = max(longest, len(pattern))
		}
	}
	return longest
}

func choose(groups []group, only string) ([]group, error) {
	if only == "" {
		return groups, nil
	}
	var chosen []group
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(groups, func(g group) bool { return g.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no group %q", name)
		}
		chosen = append(chosen, groups[i])
	}
	return chosen, nil
}
