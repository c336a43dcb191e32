package runtimes

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/test/page"
)

//go:generate go test -count=1 -run ^TestPage$ . -update

var update = flag.Bool("update", false, "write the page's table")

// The page's table stands between these lines.
var part = page.Part{
	File:   "../../docs/fargate-sandbox.md",
	Begins: "<!-- answers of test/runtimes: make generate writes them -->\n", Ends: "<!-- end of the answers -->\n",
}

// The page says where the answers differ, and what was asked besides.
func TestPage(t *testing.T) {
	part.Keep(t, table(), *update)
}

func table() string {
	var b strings.Builder
	var same []string
	b.WriteString("\n| what | runc | sandbox |\n|---|---|---|\n")
	for _, p := range slices.Concat(single, several) {
		if p.sandbox == "" {
			same = append(same, p.what)
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.what, p.runc, p.sandbox)
	}
	fmt.Fprintf(&b, "\nThe same on both: %s.\n\n", strings.Join(same, "; "))
	return b.String()
}
