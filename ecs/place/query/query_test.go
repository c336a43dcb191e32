package query_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/ecs/place/query"
)

type facts map[string]string

func (f facts) TaskGroups() []string { return strings.Fields(f[query.TaskGroup]) }

func (f facts) Fact(subject string) (string, bool) {
	v, ok := f[subject]
	return v, ok
}

var instance = facts{
	"attribute:ecs.availability-zone": "us-east-1a",
	"attribute:ecs.instance-type":     "t2.small",
	"attribute:ssd":                   "",
	"agentConnected":                  "true",
	"agentVersion":                    "1.105.1",
	"runningTasksCount":               "3",
	"registeredAt":                    "2026-03-04T05:06:07Z",
	"ec2InstanceId":                   "i-abcd1234",
	query.TaskGroup:                   "service:production family:cache",
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		expr string
		want bool
	}{
		{`attribute:ecs.availability-zone == us-east-1a`, true},
		{`attribute:ecs.availability-zone == us-east-1b`, false},
		{`attribute:ecs.availability-zone equals "us-east-1a"`, true},
		{`attribute:ecs.availability-zone != us-east-1b`, true},
		{`attribute:ecs.instance-type in [t2.small, t2.medium]`, true},
		{`attribute:ecs.instance-type in ['t2.large']`, false},
		{`attribute:ecs.instance-type !in [t2.large,t2.nano]`, true},
		{`attribute:ecs.instance-type not_in [t2.small]`, false},
		{`attribute:ecs.instance-type =~ t2.*`, true},
		{`attribute:ecs.instance-type =~ t2`, false},
		{`(attribute:ecs.instance-type =~ (t2|t3).*)`, true},
		{`attribute:ecs.instance-type !~ "g2.*"`, true},
		{`attribute:ssd exists`, true},
		{`attribute:gpu exists`, false},
		{`attribute:gpu !exists`, true},
		{`attribute:gpu not_exists and attribute:ssd exists`, true},
		// What an instance does not have is never unequal to something.
		{`attribute:gpu != a`, false},
		{`attribute:gpu !in [a]`, false},
		{`not(attribute:gpu == a)`, true},
		{`!(attribute:gpu == a)`, true},
		{`runningTasksCount == 3 and agentConnected == true`, true},
		{`(runningTasksCount == 1) or (agentConnected == true)`, true},
		{`runningTasksCount > 2 && runningTasksCount <= 3`, true},
		{`runningTasksCount >= 10 || runningTasksCount < 3`, false},
		{`agentVersion >= 1.99.0`, true},
		{`registeredAt < 2026-04-01`, true},
		// Dates, in every form that ECS documents; without a zone, UTC.
		{`registeredAt > 2026-03-04`, true},
		{`registeredAt == 2026-03-04T05:06:07`, true},
		{`registeredAt equals 2026-03-04T06:06:07+01:00`, true},
		{`registeredAt != 2026-03-04T05:06:07Z`, false},
		{`registeredAt less_than_equal 2026-03-04T05:06:07Z`, true},
		{`registeredAt greater_than_equal 2026-03-04T05:06:08Z`, false},
		// Numbers are compared as numbers, versions part by part.
		{`runningTasksCount < 10`, true},
		{`runningTasksCount not_equals 3`, false},
		{`agentVersion less_than 1.14.5`, false},
		{`agentVersion greater_than 1.9.9`, true},
		{`ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']`, true},
		{`ec2InstanceId !~ i-a.*`, false},
		{`agentConnected not_in [false]`, true},
		{`agentConnected matches t...`, true},
		// An instance has many task groups: one of them is so, or none is.
		{`task:group == service:production`, true},
		{`task:group == family:cache`, true},
		{`task:group == database`, false},
		{`not(task:group == database)`, true},
		{`task:group != database`, true},
		{`task:group != family:cache`, false},
		{`task:group in [a, service:production]`, true},
		{`task:group !in [a, service:production]`, false},
		{`task:group =~ service:.*`, true},
		{`task:group not_matches service:.*`, false},
		{`task:group exists`, true},
		{`task:group !exists`, false},
		// "and" binds closer than "or".
		{`attribute:ssd exists or attribute:gpu exists and attribute:gpu exists`, true},
		{`(attribute:ssd exists or attribute:gpu exists) and attribute:gpu exists`, false},
	} {
		e, err := query.Parse(c.expr)
		if err != nil {
			t.Errorf("Parse: %v", err)
			continue
		}
		if got := e.Match(instance); got != c.want {
			t.Errorf("%s: got %v, want %v", c.expr, got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for expr, want := range map[string]string{
		``:                                     "the end at offset 0",
		`attribute: == a`:                      `"attribute:" at offset 0`,
		`zone == a`:                            "attribute:NAME or one of agentConnected",
		`attribute:a`:                          "an operator",
		`attribute:a = b`:                      "not part of an expression",
		`attribute:a ==`:                       "a value",
		`attribute:a in b`:                     `"["`,
		`attribute:a in [b`:                    `"," or "]"`,
		`attribute:a in []`:                    "a value",
		`(attribute:a == b`:                    `")"`,
		`attribute:a == b attribute:c == d`:    "and, or, or the end",
		`attribute:a == "b`:                    "not closed",
		`attribute:a =~ (`:                     "pattern",
		`attribute:a == b and`:                 "attribute:NAME",
		`agentVersion =~ 1.*`:                  `"=~" at offset 13 is not an operator of agentVersion`,
		`agentVersion in [1]`:                  "is not an operator of agentVersion",
		`agentConnected > 1`:                   "is not an operator of agentConnected",
		`agentConnected exists`:                "is not an operator of agentConnected",
		`ec2InstanceId >= a`:                   "is not an operator of ec2InstanceId",
		`task:group < a`:                       "is not an operator of task:group",
		`registeredAt !in [2018-01-01]`:        "is not an operator of registeredAt",
		`registeredAt < yesterday`:             "a date such as 2018-06-18T22:28:28+00:00",
		`registeredAt < 2018-13-01`:            "a date such as",
		`runningTasksCount == many`:            "a number is expected",
		`runningTasksCount == -1`:              "a number is expected",
		`task:cluster == a`:                    "attribute:NAME or one of",
		`status == ACTIVE`:                     "attribute:NAME or one of",
		`attribute:a =~ "(?=b)"`:               "pattern",
		strings.Repeat("(", 99):                "nested deeper",
		strings.Repeat("a", 3000):              "longer than 2000",
		`attribute:a !like b`:                  "an operator",
		`attribute:a == b or not`:              "attribute:NAME",
		`attribute:a == b ) and (agentVersion`: "and, or, or the end",
	} {
		_, err := query.Parse(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", expr, err, want)
		}
	}
}

// Whatever is written, Parse answers, and what it accepts evaluates.
func TestNeverPanics(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"attribute:a", "agentVersion", "==", "!=", "in", "!", "[", "]", ",", "(", ")", "and", "or", "not", "=~", "x", "1.2", "'q'", "exists", " ", "&&", "<",
	})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), " ")
		if e, err := query.Parse(s); err == nil {
			e.Match(instance)
		}
	})
}
