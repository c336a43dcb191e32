package elb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func conditionsOf(t *testing.T, text string) []shape.RuleCondition {
	t.Helper()
	var in []shape.RuleCondition
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// Whatever AWS takes is kept, wherever the request has it, and said as AWS says it.
func TestConditions(t *testing.T) {
	for in, want := range map[string]string{
		`[{"Field":"host-header","Values":["*.example.com"]}]`:                                                `[{"Field":"host-header","HostHeaderConfig":{"Values":["*.example.com"]},"Values":["*.example.com"]}]`,
		`[{"Field":"path-pattern","PathPatternConfig":{"Values":["/img/*","/a?"]}}]`:                          `[{"Field":"path-pattern","PathPatternConfig":{"Values":["/img/*","/a?"]},"Values":["/img/*","/a?"]}]`,
		`[{"Field":"path-pattern","PathPatternConfig":{"RegexValues":["^/v[0-9]+/"]}}]`:                       `[{"Field":"path-pattern","PathPatternConfig":{"RegexValues":["^/v[0-9]+/"]},"RegexValues":["^/v[0-9]+/"]}]`,
		`[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"User-Agent","Values":["*Chrome*"]}}]`:  `[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"User-Agent","Values":["*Chrome*"]}}]`,
		`[{"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["GET","X-Y"]}}]`:                `[{"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["GET","X-Y"]}}]`,
		`[{"Field":"source-ip","SourceIpConfig":{"Values":["10.0.0.0/8","2001:db8::/32"]}}]`:                  `[{"Field":"source-ip","SourceIpConfig":{"Values":["10.0.0.0/8","2001:db8::/32"]}}]`,
		`[{"Field":"query-string","QueryStringConfig":{"Values":[{"Key":"v","Value":"1"},{"Value":"*x*"}]}}]`: `[{"Field":"query-string","QueryStringConfig":{"Values":[{"Key":"v","Value":"1"},{"Value":"*x*"}]}}]`,
	} {
		got, err := Conditions(conditionsOf(t, in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		said, _ := json.Marshal([]shape.RuleCondition{got[0].render()})
		if string(said) != want {
			t.Errorf("%s\nis said as %s\nnot as     %s", in, said, want)
		}
	}
}

func TestBadConditions(t *testing.T) {
	for in, want := range map[string]string{
		`[]`:                              "A condition must be specified",
		`[{"Values":["x"]}]`:              "A condition field must be specified",
		`[{"Field":"no","Values":["x"]}]`: "Condition field 'no' must be one of",
		`[{"Field":"path-pattern"}]`:      "A condition value must be specified",
		`[{"Field":"path-pattern","Values":[""]}]`:                                              "must have 1 to 128 characters",
		`[{"Field":"path-pattern","Values":["/a b"]}]`:                                          "contains characters that are not valid",
		`[{"Field":"host-header","Values":["a_b"]}]`:                                            "contains characters that are not valid",
		`[{"Field":"host-header","Values":["` + strings.Repeat("a", 129) + `"]}]`:               "must have 1 to 128 characters",
		`[{"Field":"path-pattern","Values":["/a"]},{"Field":"path-pattern","Values":["/b"]}]`:   "Only one 'path-pattern' condition",
		`[{"Field":"path-pattern","Values":["/a","/b","/c","/d","/e","/f"]}]`:                   "more than '5' condition values",
		`[{"Field":"path-pattern","Values":["/*/*/*/*","/*/*/*"]}]`:                             "more than '6' wildcards",
		`[{"Field":"path-pattern","Values":["/a"],"RegexValues":["b"]}]`:                        "but not both",
		`[{"Field":"path-pattern","RegexValues":["("]}]`:                                        "The regular expression '(' is not valid",
		`[{"Field":"http-request-method","RegexValues":["a"],"HttpRequestMethodConfig":{}}]`:    "Regular expressions are not supported",
		`[{"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["get"]}}]`:        "contains characters that are not valid",
		`[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"host","Values":["a"]}}]`: "use the condition field 'host-header'",
		`[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"a b","Values":["a"]}}]`:  "HTTP header name 'a b' is not valid",
		`[{"Field":"source-ip","SourceIpConfig":{"Values":["10.0.0.1"]}}]`:                      "must be a valid CIDR",
		`[{"Field":"source-ip","SourceIpConfig":{"Values":["10.0.0.1/8"]}}]`:                    "must be a valid CIDR",
		`[{"Field":"query-string","QueryStringConfig":{"Values":[{"Key":"a"}]}}]`:               "must have 1 to 128",
	} {
		_, err := Conditions(conditionsOf(t, in))
		if e, ok := errors.AsType[*aws.Error](err); !ok || e.Code != CodeValidation || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
}

// Whatever somebody asks for is refused or can be said again and means the same.
func FuzzConditions(f *testing.F) {
	f.Add(`[{"Field":"path-pattern","Values":["/a*"]}]`)
	f.Add(`[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"X","RegexValues":["a+"]}}]`)
	f.Add(`[{"Field":"query-string","QueryStringConfig":{"Values":[{"Key":"a","Value":"b"}]}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var in []shape.RuleCondition
		if json.Unmarshal([]byte(text), &in) != nil {
			return
		}
		once, err := Conditions(in)
		if err != nil {
			return
		}
		var again []shape.RuleCondition
		for _, c := range once {
			again = append(again, c.render())
		}
		twice, err := Conditions(again)
		a, _ := json.Marshal(once)
		b, _ := json.Marshal(twice)
		if err != nil || string(a) != string(b) {
			t.Errorf("%s is kept as %s and, said again, as %s: %v", text, a, b, err)
		}
	})
}
