package snapshot

import (
	"regexp"
	"strings"
)

// renamed is how the snapshotter says that the directory of a new snapshot is there already.
var renamed = regexp.MustCompile(`rename \S+/snapshots/new-\S+ (\S+/snapshots/[0-9]+): file exists`)

// InTheWay answers the directory below root that a containerd which was killed inside Prepare left where the next snapshot
// goes; "" when err says something else. It belongs to nobody: containerd gives its number anew because no transaction ever
// had it.
func InTheWay(err error, root string) string {
	if err == nil {
		return ""
	}
	m := renamed.FindStringSubmatch(err.Error())
	if m == nil || !strings.HasPrefix(m[1], root+"/") {
		return ""
	}
	return m[1]
}
