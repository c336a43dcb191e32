// Package page keeps the part of a documentation page that a test's data says.
//
// Guarantee: a page that says something else than the data fails its test, with the difference; nothing outside of the part is touched.
package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Part is what stands between two lines of a page.
type Part struct {
	File         string // of the page, as the test reaches it
	Begins, Ends string // the lines, with their ends
}

// Keep compares the part with what it should be, or writes it when update is set.
func (p Part) Keep(t *testing.T, want string, update bool) {
	t.Helper()
	text, err := os.ReadFile(p.File)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), p.Begins)
	_, after, also := strings.Cut(rest, p.Ends)
	if !ok || !also {
		t.Fatalf("%s lacks the lines between which its part stands", p.File)
	}
	want = before + p.Begins + want + p.Ends + after
	if update {
		if err := os.WriteFile(p.File, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(want, string(text)); d != "" {
		t.Errorf("docs/%s is stale; run make generate (-code +page):\n%s", filepath.Base(p.File), d)
	}
}
