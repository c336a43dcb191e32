package route

import (
	"fmt"
	"strings"
)

// Text is the answer for people: a line for each thing that the request meets.
func (a Answer) Text() string {
	var b strings.Builder
	line := func(what, how, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %-5s %s\n", what, how, fmt.Sprintf(format, args...))
	}
	for _, n := range a.Nodes {
		where := n.Private.String()
		if n.Public.IsValid() {
			where = n.Public.String() + " (" + where + " inside of the VPC)"
		}
		if n.Serves {
			line("node", "ok", "%s in %s, on %s", where, n.Zone, n.Machine)
		} else {
			line("node", "no", "%s in %s does not serve yet", where, n.Zone)
		}
	}
	d := a.Decision
	if d.Listener != "" {
		line("listener", "ok", "%s %s", d.Protocol, d.Listener)
	}
	for _, t := range d.Tried {
		what := "default"
		if t.Priority > 0 {
			what = fmt.Sprintf("rule %d", t.Priority)
		}
		line(what, map[bool]string{true: "TAKES", false: "no"}[t.Takes], "%s", t.text())
	}
	for _, g := range a.Groups {
		line("group", "ok", "%s", g.text())
		for _, c := range g.Candidates {
			line("target", map[bool]string{true: "ok", false: "no"}[len(c.From) > 0], "%s", c.text())
		}
	}
	b.WriteString(a.Verdict + "\n")
	return b.String()
}

func (t Tried) text() string {
	var all []string
	for _, f := range t.Findings {
		all = append(all, f.Field+": "+f.Text)
	}
	if len(all) == 0 {
		return "it takes everything"
	}
	return strings.Join(all, "; ")
}

func (g Group) text() string {
	out := g.Name
	if g.Weight != g.Total {
		out += fmt.Sprintf(", %d of %d requests", g.Weight, g.Total)
	}
	switch {
	case len(g.Candidates) == 0:
		out += ": it has no targets"
	case len(g.Open) > 0:
		out += ": too few are healthy, so that all get requests from " + strings.Join(g.Open, ", ")
	}
	return out
}

func (c Candidate) text() string {
	out := c.Target
	if at := c.Addr.String(); c.Addr.IsValid() && at != c.Target {
		out += " at " + at
	}
	if c.Zone != "" {
		out += " in " + c.Zone
	}
	return out + ": " + c.Why
}
