package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseBudgetErrors(t *testing.T) {
	for text, want := range map[string]string{
		"unit 2m":             "want: name limit pattern",
		"unit two ./...":      `"two" is not a limit`,
		"unit -1m ./...":      `"-1m" is not a limit`,
		"unit 2m store":       `"store" is neither a pattern`,
		"unit 2m -race A=b":   `group "unit" has no pattern`,
		"a 1m ./a\na 2m ./b":  `line 2: group "a" stands there twice`,
		"# only\n\nbad 1m !x": "line 3:",
	} {
		if _, err := parseBudget(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseBudget(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestAssign(t *testing.T) {
	packages := []string{"./ecs", "./ecs/place", "./store", "./store/etcd", "./stores", "./test/crash"}
	tests := map[string]struct {
		text string
		want map[string][]string
		err  string
	}{
		"the longest pattern wins": {
			text: "once\nunit 2m ./...\nstore 2m ./store/... # with its back ends\ncrash 3m -v ROUNDS=10 ./test/crash",
			want: map[string][]string{"unit": {"./ecs", "./ecs/place", "./stores"}, "store": {"./store", "./store/etcd"}, "crash": {"./test/crash"}},
		},
		"several groups": {
			text: "race 2m -race ./ecs/...\nagain 2m ./ecs",
			want: map[string][]string{"race": {"./ecs", "./ecs/place"}, "again": {"./ecs"}},
		},
		"forgotten":    {text: "once\nunit 2m ./ecs/...", err: "package ./store is in no group"},
		"nothing left": {text: "later 2m ./hosts/...", want: map[string][]string{"later": nil}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := parseBudget(test.text)
			if err != nil {
				t.Fatal(err)
			}
			groups, err := b.assign(packages)
			if (err != nil) != (test.err != "") || (err != nil && err.Error() != test.err) {
				t.Fatalf("err = %v, want %q", err, test.err)
			}
			var got map[string][]string
			for _, g := range groups {
				if got == nil {
					got = map[string][]string{}
				}
				got[g.name] = g.packages
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	groups := []group{{line: line{name: "a"}}, {line: line{name: "b"}}}
	if got, err := choose(groups, "b"); err != nil || len(got) != 1 || got[0].name != "b" {
		t.Errorf("choose b = %v, %v", got, err)
	}
	if _, err := choose(groups, "c"); err == nil {
		t.Error("an unknown group was accepted")
	}
}

// A module with one test of each kind is run for real.
func TestRunGroup(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.com/x\ngo 1.26\n",
		"a_test.go":   "package x\nimport (\"os\"; \"testing\")\nfunc TestPass(t *testing.T) { t.Log(\"quiet\") }\nfunc TestSkip(t *testing.T) { t.Skip(\"needs: a moon\") }\nfunc TestFail(t *testing.T) { t.Error(\"loud \" + os.Getenv(\"WORD\")) }\n",
		"b/b_test.go": "package b\nimport \"testing\"\nfunc TestPass(t *testing.T) {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out bytes.Buffer
	r := runGroup(t.Context(), group{line{name: "g", limit: time.Minute, environ: []string{"WORD=word"}}, []string{".", "./b"}}, &out)
	var exit *exec.ExitError
	if !errors.As(r.err, &exit) || r.report.passed != 2 || r.report.failed != 1 {
		t.Errorf("err %v, report %+v", r.err, r.report)
	}
	if diff := cmp.Diff([]string{"example.com/x TestSkip: needs: a moon"}, r.report.skipped); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"--- FAIL: TestFail", "loud word", "FAIL\texample.com/x", "ok  \texample.com/x/b"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "quiet") {
		t.Errorf("a passing test's log is printed:\n%s", out.String())
	}
	if err := summarize(io.Discard, 0, []result{r}); err == nil {
		t.Error("a failed group is no failure")
	}
}

func TestSummaryRefusesASlowGroup(t *testing.T) {
	slow := result{group: group{line: line{name: "unit", limit: time.Minute}}, took: 61 * time.Second}
	if err := summarize(io.Discard, 0, []result{slow}); err == nil || !strings.Contains(err.Error(), "group unit took 1m1s, its limit is 1m0s") {
		t.Errorf("err = %v", err)
	}
	slow.took = 59 * time.Second
	if err := summarize(io.Discard, 0, []result{slow}); err != nil {
		t.Error(err)
	}
}

func TestReadEventsShowsWhatNeverEnded(t *testing.T) {
	var out bytes.Buffer
	readEvents(strings.NewReader("not json\n"+`{"Action":"output","Package":"p","Test":"TestHang","Output":"waiting\n"}`), &out)
	if got := out.String(); got != "not json\nwaiting\n" {
		t.Errorf("printed %q", got)
	}
}

// The project's own budgets must be readable, and the one of make test no longer than promised.
func TestOwnBudgets(t *testing.T) {
	for file, most := range map[string]time.Duration{"../budget.txt": 20 * time.Minute, "../nightly.txt": 2 * time.Hour} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := parseBudget(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var sum time.Duration
		for _, l := range b.lines {
			sum += l.limit
		}
		if sum > most {
			t.Errorf("%s allows %s, promised are %s", file, sum, most)
		}
	}
}

func TestOutputIsWhatACommandSaysAndNotWhatItSaysBeside(t *testing.T) {
	got, err := output(t.Context(), "sh", "-c", "echo downloading >&2; echo text")
	if err != nil || got != "text\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err = output(t.Context(), "sh", "-c", "echo why >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("a failure says %v", err)
	}
}
