package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// RuncVersion is a release of runc; Candidate is 0 for a final one.
type RuncVersion struct{ Major, Minor, Patch, Candidate int }

var runcVersionRule = regexp.MustCompile(`(?m)^runc version v?(\d+)\.(\d+)\.(\d+)(?:[-~]rc\.?(\d+))?`)

// ParseRuncVersion reads the output of `runc --version`.
func ParseRuncVersion(text string) (RuncVersion, error) {
	m := runcVersionRule.FindStringSubmatch(text)
	if m == nil {
		first, _, _ := strings.Cut(text, "\n")
		return RuncVersion{}, fmt.Errorf("runc: no version in %q", first)
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // the rule admits digits or nothing
	}
	return RuncVersion{n[0], n[1], n[2], n[3]}, nil
}

func (v RuncVersion) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Candidate > 0 {
		s += fmt.Sprintf("-rc.%d", v.Candidate)
	}
	return s
}

func (v RuncVersion) less(w RuncVersion) bool {
	a := [4]int{v.Major, v.Minor, v.Patch, v.Candidate}
	b := [4]int{w.Major, w.Minor, w.Patch, w.Candidate}
	const final = 1 << 30 // a final release comes after its candidates
	for i := range a {
		x, y := a[i], b[i]
		if i == 3 && x == 0 {
			x = final
		}
		if i == 3 && y == 0 {
			y = final
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// Escapable reports whether v lacks the fixes for CVE-2025-31133,
// CVE-2025-52565 and CVE-2025-52881, which came with 1.2.8, 1.3.3 and 1.4.0-rc.3.
func (v RuncVersion) Escapable() bool {
	fixed := RuncVersion{1, 4, 0, 3}
	switch {
	case v.Major == 1 && v.Minor == 2:
		fixed = RuncVersion{1, 2, 8, 0}
	case v.Major == 1 && v.Minor == 3:
		fixed = RuncVersion{1, 3, 3, 0}
	}
	return v.less(fixed)
}

// CheckRunc refuses a runc with known escapes, or only says so when old is allowed.
func CheckRunc(ctx context.Context, runc string, allowOld bool, log *slog.Logger) error {
	out, err := exec.CommandContext(ctx, runc, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("runc: %s --version: %w: %s", runc, err, out)
	}
	v, err := ParseRuncVersion(string(out))
	if err != nil {
		return err
	}
	if !v.Escapable() {
		return nil
	}
	const why = "a container can escape from it (CVE-2025-31133, CVE-2025-52565, CVE-2025-52881)"
	if !allowOld {
		return fmt.Errorf("runc %s at %s is refused: %s; use 1.2.8, 1.3.3, 1.4.0 or later, or allow it explicitly", v, runc, why)
	}
	log.Warn("runc is old and allowed by configuration: "+why, "version", v.String())
	return nil
}
