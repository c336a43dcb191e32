package elb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func actionsOf(t *testing.T, kind, text string) ([]Action, error) {
	t.Helper()
	var in []shape.Action
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	l := &LoadBalancer{Type: kind}
	return l.Actions(in)
}

func TestActions(t *testing.T) {
	for in, want := range map[string]string{
		`[{"Type":"forward","TargetGroupArn":"a"}]`: `[{"ForwardConfig":{"TargetGroupStickinessConfig":{"Enabled":false},"TargetGroups":[{"TargetGroupArn":"a","Weight":1}]},"TargetGroupArn":"a","Type":"forward"}]`,
		`[{"Type":"forward","Order":1,"ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a","Weight":0},{"TargetGroupArn":"b","Weight":9}],"TargetGroupStickinessConfig":{"Enabled":true,"DurationSeconds":60}}}]`: `[{"ForwardConfig":{"TargetGroupStickinessConfig":{"DurationSeconds":60,"Enabled":true},"TargetGroups":[{"TargetGroupArn":"a","Weight":0},{"TargetGroupArn":"b","Weight":9}]},"Order":1,"Type":"forward"}]`,
		`[{"Type":"redirect","RedirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}]`:                                                                                                          `[{"RedirectConfig":{"Host":"#{host}","Path":"/#{path}","Port":"443","Protocol":"HTTPS","Query":"#{query}","StatusCode":"HTTP_301"},"Type":"redirect"}]`,
		`[{"Type":"redirect","RedirectConfig":{"Path":"/new","Query":"","StatusCode":"HTTP_302"}}]`:                                                                                                                 `[{"RedirectConfig":{"Host":"#{host}","Path":"/new","Port":"#{port}","Protocol":"#{protocol}","Query":"","StatusCode":"HTTP_302"},"Type":"redirect"}]`,
		`[{"Type":"fixed-response","FixedResponseConfig":{"StatusCode":"503","ContentType":"text/plain","MessageBody":"later"}}]`:                                                                                   `[{"FixedResponseConfig":{"ContentType":"text/plain","MessageBody":"later","StatusCode":"503"},"Type":"fixed-response"}]`,
	} {
		got, err := actionsOf(t, TypeApplication, in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		n := Names{LoadBalancer: &LoadBalancer{Type: TypeApplication}, Group: func(id string) string { return id }}
		said, _ := json.Marshal(n.Actions(got))
		if string(said) != want {
			t.Errorf("%s\nis said as %s\nnot as     %s", in, said, want)
		}
	}
}

func TestBadActions(t *testing.T) {
	for in, want := range map[string]string{
		`[]`:                   "ValidationError: You must specify an action",
		`[{"Type":"forward"}]`: "InvalidLoadBalancerAction: A target group must be specified",
		`[{"Type":"forward","TargetGroupArn":"a"},{"Type":"forward","TargetGroupArn":"b"}]`:                                                                                                                 "InvalidLoadBalancerAction: Exactly one",
		`[{"Type":"forward","TargetGroupArn":"a","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"b"}]}}]`:                                                                                               "ValidationError: must be the only one",
		`[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a"},{"TargetGroupArn":"a"}]}}]`:                                                                                             "InvalidLoadBalancerAction: more than once",
		`[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a","Weight":1000}]}}]`:                                                                                                      "ValidationError: between 0 and 999",
		`[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a"}],"TargetGroupStickinessConfig":{"Enabled":true}}}]`:                                                                     "InvalidLoadBalancerAction: stickiness duration",
		`[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a"},{"TargetGroupArn":"b"},{"TargetGroupArn":"c"},{"TargetGroupArn":"d"},{"TargetGroupArn":"e"},{"TargetGroupArn":"f"}]}}]`: "TooManyTargetGroups: '5'",
		`[{"Type":"redirect"}]`: "InvalidLoadBalancerAction: redirect configuration must be specified",
		`[{"Type":"redirect","RedirectConfig":{"StatusCode":"HTTP_301"}}]`:                         "InvalidLoadBalancerAction: because it creates a loop.",
		`[{"Type":"redirect","RedirectConfig":{"StatusCode":"HTTP_301","Port":"0"}}]`:              "InvalidLoadBalancerAction: redirect port '0'",
		`[{"Type":"redirect","RedirectConfig":{"StatusCode":"HTTP_301","Path":"x"}}]`:              "InvalidLoadBalancerAction: must begin with '/'",
		`[{"Type":"redirect","RedirectConfig":{"StatusCode":"HTTP_307","Path":"/x"}}]`:             "InvalidLoadBalancerAction: status code 'HTTP_307'",
		`[{"Type":"redirect","RedirectConfig":{"StatusCode":"HTTP_301","Host":"a\r\nb"}}]`:         "InvalidLoadBalancerAction: not valid in a URL",
		`[{"Type":"fixed-response","FixedResponseConfig":{"StatusCode":"302"}}]`:                   "InvalidLoadBalancerAction: must be 2XX, 4XX or 5XX",
		`[{"Type":"fixed-response","FixedResponseConfig":{"StatusCode":"200","ContentType":"x"}}]`: "InvalidLoadBalancerAction: content type 'x'",
		`[{"Type":"authenticate-cognito"}]`:                                                        "OperationNotPermitted: 'authenticate-cognito' are not supported in this region yet",
		`[{"Type":"jwt-validation"}]`:                                                              "OperationNotPermitted: 'jwt-validation'",
		`[{"Type":"other"}]`:                                                                       "InvalidLoadBalancerAction: 'other' is not valid",
	} {
		code, sentence, _ := strings.Cut(want, ": ")
		_, err := actionsOf(t, TypeApplication, in)
		if e, ok := errors.AsType[*aws.Error](err); !ok || e.Code != code || !strings.Contains(e.Message, sentence) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{`[{"Type":"redirect"}]`, `[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a"}],"TargetGroupStickinessConfig":{"Enabled":true,"DurationSeconds":9}}}]`} {
		if _, err := actionsOf(t, TypeNetwork, in); err == nil {
			t.Errorf("a network load balancer takes %s", in)
		}
	}
}

// No default rule is called as another rule or listener is, and its name does not change.
func TestDefaultRuleID(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"0000000000000000", "0123456789abcdef", "ffffffffffffffff", "0123456789abcdee", "1000000000000000", "0000000000000001"} {
		l := &Listener{ID: id}
		d := l.DefaultRuleID()
		if len(d) != 16 || d == id || strings.Trim(d, "0123456789abcdef") != "" || seen[d] != "" || d != l.DefaultRuleID() {
			t.Errorf("default rule of %s: %s, which %q has", id, d, seen[d])
		}
		seen[d] = id
	}
}
