package runtimes

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//go:generate go test -count=1 -run ^TestPage$ . -update

var update = flag.Bool("update", false, "write the page's table")

const page = "../../docs/fargate-sandbox.md"

// The page's table stands between these lines.
const (
	begins = "<!-- answers of test/runtimes: make generate writes them -->\n"
	ends   = "<!-- end of the answers -->\n"
)

// The page says where the answers differ, and what was asked besides.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begins)
	_, after, also := strings.Cut(rest, ends)
	if !ok || !also {
		t.Fatalf("%s lacks the lines between which the table stands", page)
	}
	want := before + begins + table() + ends + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, string(text)); d != "" {
		t.Errorf("docs/fargate-sandbox.md is stale; run make generate (-code +page):\n%s", d)
	}
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
