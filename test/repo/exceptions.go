package repo

import (
	"fmt"
	"strings"
)

// Exception excuses the findings of one rule at one place, for a reason.
type Exception struct {
	Rule, Where, Reason string
}

// ParseExceptions reads lines of the form: rule place reason... Empty lines and those that begin with # are left out.
func ParseExceptions(text string) ([]Exception, error) {
	var out []Exception
	number := 0
	for raw := range strings.Lines(text) {
		number++
		raw = strings.TrimSpace(raw)
		if raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		words := strings.Fields(raw)
		const fewest = 5 // a reason of three words at least
		if len(words) < fewest {
			return nil, fmt.Errorf("line %d: want: rule place reason, got %q", number, raw)
		}
		out = append(out, Exception{words[0], words[1], strings.Join(words[2:], " ")})
	}
	return out, nil
}

// Excuse returns the findings that no exception covers, and one for each exception that covers nothing.
func Excuse(findings []Finding, exceptions []Exception) []Finding {
	used := make([]bool, len(exceptions))
	var out []Finding
	for _, f := range findings {
		excused := false
		for i, e := range exceptions {
			if e.Rule == f.Rule && e.Where == f.Where {
				used[i], excused = true, true
			}
		}
		if !excused {
			out = append(out, f)
		}
	}
	for i, e := range exceptions {
		if !used[i] {
			out = append(out, Finding{e.Rule, e.Where, "the exception excuses nothing any more: remove it from exceptions.txt"})
		}
	}
	return out
}
