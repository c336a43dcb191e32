package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func rule(priority int, selection string) string {
	return fmt.Sprintf(`{"rulePriority":%d,"selection":{%s},"action":{"type":"expire"}}`, priority, selection)
}

func policy(rules ...string) string { return `{"rules":[` + strings.Join(rules, ",") + `]}` }

const (
	any3     = `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3`
	untagged = `"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14`
	prod     = `"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":1`
	pattern  = `"tagStatus":"tagged","tagPatternList":["v*-rc*"],"countType":"imageCountMoreThan","countNumber":1`
	both     = `"tagStatus":"tagged","tagPrefixList":["a","b"],"countType":"imageCountMoreThan","countNumber":1`
	pulled   = `"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":14`
)

func day(n int) time.Time { return now.AddDate(0, 0, -n) }

func TestEvaluate(t *testing.T) {
	images := []Image{
		{Digest: "d1", Tags: []string{"prod1"}, PushedAt: day(30)},
		{Digest: "d2", Tags: []string{"prod2", "latest"}, PushedAt: day(20)},
		{Digest: "d3", PushedAt: day(15)},
		{Digest: "d4", PushedAt: day(13)},
		{Digest: "d5", Tags: []string{"v1-rc1"}, PushedAt: day(12)},
		{Digest: "d6", Tags: []string{"v1-rc2"}, PushedAt: day(11)},
		{Digest: "d7", Tags: []string{"a1", "b1"}, PushedAt: day(10)},
		{Digest: "d8", Tags: []string{"a2"}, PushedAt: day(9)},
		{Digest: "d9", Tags: []string{"a3", "b3"}, PushedAt: day(8), PulledAt: day(1)},
		{Digest: "child", PushedAt: day(100), Parents: 1},
	}
	for name, c := range map[string]struct {
		policy string
		want   string
	}{
		"the newest stay":                   {policy(rule(1, any3)), "d1:1 d2:1 d3:1 d4:1 d5:1 d6:1"},
		"untagged by age":                   {policy(rule(1, untagged)), "d3:1"},
		"a prefix":                          {policy(rule(1, prod)), "d1:1"},
		"a pattern":                         {policy(rule(1, pattern)), "d5:1"},
		"every prefix must fit":             {policy(rule(1, both)), "d7:1"},
		"by pulls, else by the push":        {policy(rule(1, pulled)), "d1:1 d2:1 d3:1"},
		"a rule keeps from those behind it": {policy(rule(9, any3), rule(2, prod)), "d1:2 d3:9 d4:9 d5:9 d6:9"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(c.policy)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range p.Evaluate(images, now) {
				got = append(got, fmt.Sprintf("%s:%d", e.Digest, e.Priority))
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"not a valid JSON document": `{"rules":[}`,
		"unknown field":             `{"rules":[{"foo":1}]}`,
		"something follows":         policy(rule(1, any3)) + "{}",
		"1 to 50 rules":             `{"rules":[]}`,
		"rulePriority must be":      policy(rule(0, any3)),
		"given twice":               policy(rule(1, prod), rule(1, pattern)),
		"highest rulePriority":      policy(rule(1, any3), rule(2, prod)),
		"at most one rule":          policy(rule(1, untagged), rule(2, untagged)),
		"use expire":                strings.Replace(policy(rule(1, any3)), "expire", "transition", 1),
		"storage classes":           policy(rule(1, any3+`,"storageClass":"archive"`)),
		"needs either":              policy(rule(1, `"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":1`)),
		"only be given with":        policy(rule(1, any3+`,"tagPrefixList":["a"]`)),
		"is not one of tagged":      policy(rule(1, `"tagStatus":"some","countType":"imageCountMoreThan","countNumber":1`)),
		"countNumber must be":       policy(rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":0`)),
		"countUnit cannot":          policy(rule(1, any3+`,"countUnit":"days"`)),
		"countUnit must be days":    policy(rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countNumber":1`)),
		"countType":                 policy(rule(1, `"tagStatus":"any","countType":"x","countNumber":1`)),
		"4 wildcards":               policy(rule(1, strings.Replace(pattern, "v*-rc*", "*****", 1))),
		"empty tag":                 policy(rule(1, strings.Replace(prod, "prod", "", 1))),
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestNext(t *testing.T) {
	p, err := Parse(policy(rule(1, untagged)))
	if err != nil {
		t.Fatal(err)
	}
	got := p.Next([]Image{{PushedAt: day(20)}, {PushedAt: day(3)}, {PushedAt: day(10)}}, now)
	if want := day(10).AddDate(0, 0, 14); !got.Equal(want) {
		t.Errorf("next %v, want %v", got, want)
	}
	if p, err = Parse(policy(rule(1, any3))); err != nil || !p.Next([]Image{{PushedAt: day(1)}}, now).IsZero() {
		t.Errorf("a count is not due: %v", err)
	}
}

// What must never happen: more expires than the rules allow, an image expires twice, the newest of a count goes.
func TestEvaluateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(t, "images")
		var images []Image
		for i := range n {
			images = append(images, Image{
				Digest: fmt.Sprintf("d%02d", i), PushedAt: day(rapid.IntRange(0, 40).Draw(t, "age")),
				Tags:    rapid.SliceOfN(rapid.SampledFrom([]string{"prod1", "v1-rc1", "x"}), 0, 2).Draw(t, "tags"),
				Parents: rapid.IntRange(0, 1).Draw(t, "parents"),
			})
		}
		p, err := Parse(policy(rule(1, prod), rule(2, untagged), rule(3, any3)))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		out := p.Evaluate(images, now)
		for _, e := range out {
			if seen[e.Digest] || e.Parents > 0 {
				t.Fatalf("%s expired twice or with a parent", e.Digest)
			}
			seen[e.Digest] = true
		}
		slices.Reverse(images)
		if again := p.Evaluate(images, now); len(again) != len(out) {
			t.Fatalf("the order of the images decides: %v, %v", out, again)
		}
		for _, i := range images { // nothing that stays is older than something of its rule that went by count
			if seen[i.Digest] || i.Parents > 0 || !p.Rules[0].Selection.selects(i) {
				continue
			}
			for _, e := range out {
				if e.Priority == 1 && e.PushedAt.After(i.PushedAt) {
					t.Fatalf("%v went before %v", e, i)
				}
			}
		}
	})
}
