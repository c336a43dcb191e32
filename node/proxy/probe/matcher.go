package probe

import (
	"strconv"
	"strings"
)

// matches says whether a code is one of a matcher: 200, 200-299, or several with commas.
func matches(matcher string, code int) bool {
	for one := range strings.SplitSeq(matcher, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(one), "-")
		if !isRange {
			high = low
		}
		l, lerr := strconv.Atoi(low)
		h, herr := strconv.Atoi(high)
		if lerr == nil && herr == nil && l <= code && code <= h {
			return true
		}
	}
	return false
}
