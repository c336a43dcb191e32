package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sample = "# Title\n\ntext\n\n```sh\nexport A=1\n```\n\n```text\n```\n\n<!-- not run: too dangerous -->\n```sh\nfalse\n```\n\n" +
	"<!-- until: 5s -->\n```sh\necho \"$A\"\ndate\n```\n```text\n1\n...\n```\n\n```json\n{}\n```\n```text\nalone\n```\n"

func TestParse(t *testing.T) {
	got, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{Line: 6, Commands: "export A=1\n", Want: []string{""}},
		{Line: 14, Commands: "false\n", NotRun: "too dangerous"},
		{Line: 19, Commands: "echo \"$A\"\ndate\n", Want: []string{"1", "..."}, Until: 5 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseErrors(t *testing.T) {
	for page, want := range map[string]string{
		"```sh\necho":                            "not closed",
		"<!-- not run -->\n```sh\n```\n":         "needs a reason",
		"<!-- unless: 3s -->\n```sh\n```\n":      "unknown comment",
		"<!-- until: soon -->\n```sh\n```\n":     "until:",
		"<!-- until: 3s -->\n```sh\ntrue\n```\n": "without an expected output",
	} {
		if _, err := Parse(page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, want %q", page, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		want   string
		output string
		ok     bool
	}{
		{"a", "a\n", true},
		{"a", "b\n", false},
		{"a b", "a\t  b", true},
		{"task ... runs", "task 7 runs", true},
		{"task ... runs", "task runs", false},
		{"a+b(", "a+b(", true},
		{"...\nlast", "x\ny\nlast", true},
		{"...\nlast", "last", true},
		{"...\nlast", "last\nmore", false},
		{"first\n...", "first", true},
		{"first\n...", "first\nx", true},
		{"a", "a\na", false},
	}
	for _, test := range tests {
		if got := Match(strings.Split(test.want, "\n"), test.output); got != test.ok {
			t.Errorf("Match(%q, %q) = %v", test.want, test.output, got)
		}
	}
	if !Match(nil, "anything") {
		t.Error("a block without an expected output accepts any")
	}
}

func runner(t *testing.T) Runner {
	t.Helper()
	return Runner{Dir: t.TempDir(), Scratch: t.TempDir(), Environ: os.Environ(), Log: t.Logf}
}

func TestRun(t *testing.T) {
	tests := map[string]struct{ page, err string }{
		"sample":                  {sample, ""},
		"state goes on":           {"```sh\ncd /\nx=1\n```\n```sh\necho $PWD $x\n```\n```text\n/ 1\n```\n", ""},
		"a failure in the middle": {"```sh\nfalse\necho on\n```\n", "status 1"},
		"a failure in a pipe":     {"```sh\nfalse | cat\n```\n", "status 1"},
		"the first failure ends":  {"```sh\nexit 7\n```\n```sh\ntrue\n```\n", "the shell ended"},
		"wrong output":            {"```sh\necho b\n```\n```text\na\n```\n", "not the output the page shows"},
		"errors are output":       {"```sh\necho b >&2\n```\n```text\nb\n```\n", ""},
		"nobody eats the script":  {"```sh\ncat\n```\n```sh\necho next\n```\n```text\nnext\n```\n", ""},
		"until it is right":       {"```sh\ni=0\n```\n<!-- until: 20s -->\n```sh\ni=$((i+1)); echo $i\n```\n```text\n2\n```\n", ""},
		"never right":             {"<!-- until: 1ms -->\n```sh\necho no\n```\n```text\nyes\n```\n", "line 3: not the output"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := runner(t).Run(t.Context(), "page.md", test.page)
			if (err != nil) != (test.err != "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Errorf("err = %v, want %q", err, test.err)
			}
		})
	}
}

// Every page must be readable, or its commands would silently not be run.
func TestPagesParse(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(string(text)); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	}
}

// pages returns the README and the documentation's pages.
func pages(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"../../README.md", "../../CONTRIBUTING.md"}, docs...)
}
