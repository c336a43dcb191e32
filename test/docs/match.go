package docs

import (
	"regexp"
	"slices"
	"strings"
)

const anything = "..."

// Match reports whether output is what a page says.
func Match(want []string, output string) bool {
	if want == nil {
		return true
	}
	got := strings.Split(strings.TrimSpace(output), "\n")
	return matchLines(want, got)
}

func matchLines(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == anything {
		for skip := range len(got) + 1 {
			if matchLines(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && matchLine(want[0], got[0]) && matchLines(want[1:], got[1:])
}

func matchLine(want, got string) bool {
	parts := strings.Split(oneSpace(want), anything)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	ok, err := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", oneSpace(got))
	return err == nil && ok
}

func oneSpace(s string) string {
	return strings.Join(slices.Collect(strings.FieldsSeq(s)), " ")
}
