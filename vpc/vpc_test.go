package vpc

import (
	"path"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestZones(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "use1-az2", "eu-central-1": "euc1-az2", "ap-northeast-1": "apne1-az2", "ap-southeast-2": "apse2-az2", "us-gov-west-1": "usgw1-az2", "me-south-1": "mes1-az2",
	} {
		zones := Zones(region, []string{region + "a", region + "b"})
		if len(zones) != 2 || zones[1] != (Zone{Name: region + "b", ID: want, Region: region}) {
			t.Errorf("%s: %+v", region, zones)
		}
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*a", "ab", false},
		{"a?c", "abc", true}, {"a?c", "ac", false}, {"*a*b*", "xaxbx", true}, {"*ab", "aab", true}, {`a\*`, "a*", true}, {`a\*`, "ab", false}, {`\?`, "?", true},
		{"?", "é", true}, {"**", "x", true}, {"a*?", "a", false}, {"A", "a", false}, {`*\*`, "x*", true},
	} {
		if got := fits(c.pattern, c.value); got != c.want {
			t.Errorf("fits(%q, %q) = %v", c.pattern, c.value, got)
		}
	}
}

// Without brackets and slashes, path.Match knows the same patterns.
func TestFitsAsPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern, value := rapid.StringMatching(`[ab*?]{0,8}`).Draw(t, "pattern"), rapid.StringMatching(`[ab]{0,8}`).Draw(t, "value")
		want, err := path.Match(pattern, value)
		if err != nil {
			t.Fatal(err)
		}
		if got := fits(pattern, value); got != want {
			t.Fatalf("fits(%q, %q) = %v", pattern, value, got)
		}
	})
}

func TestFields(t *testing.T) {
	fields := Fields[string]{"text": func(s string) []string { return []string{s} }, "letters": func(s string) []string { return strings.Split(s, "") }}
	all := []Filter{{"text", []string{"x", "ab*"}}, {"letters", []string{"c"}}}
	if err := fields.Check(all); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{"abc": true, "ab": false, "c": false} {
		if got := fields.Match(all, value); got != want {
			t.Errorf("%s: %v", value, got)
		}
	}
	for _, bad := range []Filter{{"colour", []string{"red"}}, {"text", nil}} {
		if err := fields.Check([]Filter{bad}); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
