package route

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/berth-ecs/berth/elb"
)

// Finding is what became of a condition.
type Finding struct {
	Field string
	Holds bool
	Text  string // which value holds of what, or of what none does
}

// holds looks at a condition.
func holds(c elb.Condition, q Request) Finding {
	f := Finding{Field: c.Field}
	switch c.Field {
	case "host-header":
		f.Holds, f.Text = patterns(c, subject{text: q.Host, fold: true, foldRegex: true})
	case "path-pattern":
		f.Holds, f.Text = patterns(c, subject{text: q.Path})
	case "http-request-method":
		f.Holds, f.Text = patterns(c, subject{text: q.Method})
	case "http-header":
		f.Field, f.Text = f.Field+" "+c.Header, "the request has no such header"
		for _, v := range q.header(c.Header) {
			if f.Holds, f.Text = patterns(c, subject{text: v, fold: true}); f.Holds {
				break
			}
		}
	case "query-string":
		f.Holds, f.Text = query(c, q)
	case "source-ip":
		f.Holds, f.Text = source(c, q)
	default:
		f.Text = "it is not known here"
	}
	return f
}

// subject is what patterns are held against. Case counts unless it is folded; foldRegex: nor does it in regular expressions.
type subject struct {
	text            string
	fold, foldRegex bool
}

func patterns(c elb.Condition, s subject) (bool, string) {
	lower := func(text string) string {
		if s.fold {
			return strings.ToLower(text)
		}
		return text
	}
	for _, v := range c.Values {
		if glob(lower(v), lower(s.text)) {
			return true, fmt.Sprintf("%q is %s", s.text, v)
		}
	}
	for _, v := range c.Regex {
		flags := "(?s)"
		if s.foldRegex {
			flags = "(?is)"
		}
		if r, err := regexp.Compile(flags + v); err == nil && r.MatchString(s.text) {
			return true, fmt.Sprintf("%q has %s", s.text, v)
		}
	}
	return false, fmt.Sprintf("%q is not %s", s.text, either(append(append([]string(nil), c.Values...), c.Regex...)))
}

func either(values []string) string {
	switch len(values) {
	case 0:
		return "any value of it"
	case 1:
		return values[0]
	}
	return strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
}

// query: a parameter is a pair, or, of a pair without a key, has its value. Case does not count, and nothing is decoded.
func query(c elb.Condition, q Request) (bool, string) {
	if q.Query != "" {
		for _, p := range q.params() {
			for _, want := range c.Query {
				key := want.Key == "" || glob(strings.ToLower(want.Key), strings.ToLower(p.Key))
				if key && glob(strings.ToLower(want.Value), strings.ToLower(p.Value)) {
					return true, fmt.Sprintf("%q is %s", p.Key+"="+p.Value, pair(want))
				}
			}
		}
	}
	var all []string
	for _, want := range c.Query {
		all = append(all, pair(want))
	}
	return false, fmt.Sprintf("%q has no %s", q.Query, either(all))
}

func pair(p elb.Pair) string {
	if p.Key == "" {
		return "*=" + p.Value
	}
	return p.Key + "=" + p.Value
}

func source(c elb.Condition, q Request) (bool, string) {
	for _, v := range c.Values {
		if p, err := netip.ParsePrefix(v); err == nil && p.Contains(q.Source) {
			return true, fmt.Sprintf("%s is in %s", q.Source, v)
		}
	}
	return false, fmt.Sprintf("%s is not in %s", q.Source, either(c.Values))
}
