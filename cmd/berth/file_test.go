package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/internal/config"
)

func TestParseFile(t *testing.T) {
	tests := map[string]struct {
		text string
		want []config.Value
		err  string
	}{
		"empty":    {text: "# nothing\n"},
		"scalars":  {text: "region: eu-west-1\nallow-old-runc: true\n", want: []config.Value{{Key: "region", Text: "eu-west-1", From: "f line 1"}, {Key: "allow-old-runc", Text: "true", From: "f line 2"}}},
		"digits":   {text: `account: "000000000001"`, want: []config.Value{{Key: "account", Text: "000000000001", From: "f line 1"}}},
		"unquoted": {text: "account: 000000000001", want: []config.Value{{Key: "account", Text: "000000000001", From: "f line 1"}}},
		"null":     {text: "server:", want: []config.Value{{Key: "server", From: "f line 1"}}},
		"list":     {text: "zones: [a, b]", want: []config.Value{{Key: "zones", Text: "a,b", From: "f line 1"}}},
		"twice":    {text: "name: a\nname: b", err: `f line 2: "name" stands in line 1 already`},
		"nested":   {text: "server:\n  port: 1", err: `f line 1: "server": want a plain value or a list of them`},
		"deep":     {text: "zones: [[a]]", err: "a list holds plain values only"},
		"no map":   {text: "- a", err: "f line 1: want a mapping"},
		"no YAML":  {text: "a: [", err: "f: yaml:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseFile("f", []byte(test.text))
			if (err != nil) != (test.err != "") || (err != nil && !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("err = %v, want %q", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the file holds, reading it ends in values or an error, never in a panic.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{"a: b", "a: [b, c]", "a: &x b\nc: *x", "? {a: b}\n: c", "--- \n...\n---"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parseFile("f", text); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
