package spec

import (
	"fmt"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Ulimit is one resource limit, named as in a task definition (nofile, nproc, ...).
type Ulimit struct {
	Name       string
	Soft, Hard uint64
}

// ulimitNames are the values of ECS's UlimitName.
var ulimitNames = []string{
	"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
	"sigpending", "stack",
}

func rlimits(in []Ulimit) ([]specs.POSIXRlimit, error) {
	var out []specs.POSIXRlimit
	for _, u := range in {
		if !slices.Contains(ulimitNames, u.Name) {
			return nil, fmt.Errorf("ulimits.name: %q is none of %s", u.Name, strings.Join(ulimitNames, ", "))
		}
		if u.Soft > u.Hard {
			return nil, fmt.Errorf("ulimits.%s: the soft limit %d is above the hard limit %d", u.Name, u.Soft, u.Hard)
		}
		out = append(out, specs.POSIXRlimit{Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: u.Soft, Hard: u.Hard})
	}
	return out, nil
}

// kernelLimits are the limits of Linux in the kernel's order.
var kernelLimits = []string{
	"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
}

// Resource is the kernel's number of a limit ("RLIMIT_NOFILE").
func Resource(name string) (uint32, bool) {
	i := slices.Index(kernelLimits, strings.TrimPrefix(name, "RLIMIT_"))
	return uint32(max(i, 0)), i >= 0
}
