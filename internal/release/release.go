// Package release knows which programs of an installation work together: those whose levels are one apart at most (pure).
//
// Guarantees:
//
//   - A level is a number that rises with each release that changes what servers and nodes say to each other, or what they keep.
//   - Programs of the same level, and of neighbouring ones, work together, in whichever order they are replaced.
//   - Who says no level is of the first, which said none; other people's clients say none either, and are asked nothing.
package release

import (
	"fmt"
	"strconv"
	"strings"
)

// level is this program's. Tests of upgrades build others (-ldflags -X).
var level = "2"

// first is the level of programs that said none.
const first = 1

// Header is in every request of a node or server to a server: the level and the program's version.
const Header = "Berth-Release"

// Program is one that takes part: a server or a node.
type Program struct {
	Level   int
	Version string // as berth version says it
}

// This is this program.
func This(version string) Program {
	n, err := strconv.Atoi(level)
	if err != nil {
		n = first
	}
	return Program{Level: n, Version: version}
}

// Said is a program of the record that it wrote of itself.
func Said(level int, version string) Program {
	return Program{Level: max(level, first), Version: version}
}

// String is the header's value.
func (p Program) String() string { return fmt.Sprintf("%d %s", p.Level, p.Version) }

// Parse reads it.
func Parse(header string) Program {
	number, version, _ := strings.Cut(header, " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		n = first
	}
	return Said(n, version)
}

// Together tells whether two programs work together.
func Together(a, b Program) bool { return a.Level-b.Level <= 1 && b.Level-a.Level <= 1 }

// Rule is what an operator is told who skipped one.
const Rule = "servers and nodes work together one release level apart, no more: upgrade in steps, at each step all servers one by one, then the nodes"

// Apart says why two programs do not work together; each is called what the caller says.
func Apart(one string, a Program, other string, b Program) string {
	return fmt.Sprintf("%s is of release level %d (berth %s), %s of level %d (berth %s): %s", one, a.Level, a.named(), other, b.Level, b.named(), Rule)
}

func (p Program) named() string {
	if p.Version == "" {
		return "of before versions were said"
	}
	return p.Version
}
