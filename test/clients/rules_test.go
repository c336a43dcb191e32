package clients

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func fixed(status, text string) types.Action {
	return types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: &status, MessageBody: &text, ContentType: aws.String("text/plain")}}
}

func paths(values ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: values}}
}

func hosts(values ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: values}}
}

func sources(values ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: values}}
}

func (a *agreed) weighted(blue, green int32) types.Action {
	return types.Action{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
		{TargetGroupArn: &a.blue, Weight: &blue}, {TargetGroupArn: &a.green, Weight: &green},
	}}}
}

// wanted are rules with every kind of condition and action.
func (a *agreed) wanted() []types.Rule {
	header := types.RuleCondition{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Beta"), Values: []string{"yes*", "o?"}}}
	method := types.RuleCondition{Field: aws.String("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{"PURGE"}}}
	query := types.RuleCondition{Field: aws.String("query-string"), QueryStringConfig: &types.QueryStringConditionConfig{Values: []types.QueryStringKeyValuePair{
		{Key: aws.String("color"), Value: aws.String("re?")}, {Value: aws.String("any*")}}}}
	byPath := types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{RegexValues: []string{"^/item/[0-9]+$"}}}
	byHost := types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{RegexValues: []string{"^shard-[0-9]\\.example\\.org$"}}}
	redirect := types.Action{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
		Protocol: aws.String("HTTPS"), Port: aws.String("8443"), Host: aws.String("new.#{host}"), Path: aws.String("/moved/#{path}"), Query: aws.String("was=#{port}&#{query}"),
		StatusCode: types.RedirectActionStatusCodeEnumHttp302}}
	forward := types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: &a.green}
	rule := func(to types.Action, when ...types.RuleCondition) types.Rule {
		return types.Rule{Conditions: when, Actions: []types.Action{to}}
	}
	return []types.Rule{
		rule(a.weighted(1, 0), paths("/shop/*", "/s?op")),
		rule(forward, hosts("green.example.com", "*.green.example.com"), paths("/*")),
		rule(fixed("201", "beta"), header),
		rule(fixed("405", "no purge"), method),
		rule(redirect, query),
		rule(fixed("200", "an item"), byPath),
		rule(fixed("200", "a shard"), byHost),
		rule(fixed("418", "from nowhere"), paths("/from"), sources("203.0.113.0/24")),
		rule(fixed("202", "from anywhere"), paths("/from"), sources("203.0.113.0/24", "0.0.0.0/0")),
		rule(a.weighted(1, 1), paths("/both")),
	}
}

// asked is a request.
type asked struct {
	method, host, path, query, beta string
}

// requests hit every rule and what is just beside it.
var requests = []asked{
	{path: "/shop/1"}, {path: "/sHop"}, {path: "/stop"}, {path: "/Shop/1"}, {path: "/shop"},
	{host: "green.example.com", path: "/"}, {host: "a.GREEN.example.com", path: "/x"}, {host: "xgreen.example.com", path: "/"}, {host: "green.example.com", path: "/shop/1"},
	{path: "/", beta: "YES, please"}, {path: "/", beta: "on"}, {path: "/", beta: "off"}, {path: "/", beta: ""},
	{path: "/", method: "PURGE"}, {path: "/", method: "DELETE"}, {path: "/shop/1", method: "PURGE"},
	{path: "/q", query: "size=1&Color=RED"}, {path: "/q", query: "x=anything"}, {path: "/q", query: "color=reed"}, {path: "/q", query: "color"},
	{path: "/item/17"}, {path: "/item/x"}, {path: "/an/item/17"},
	{host: "shard-7.example.org", path: "/"}, {host: "shard-77.example.org", path: "/"}, {host: "shard-7.example.org:80", path: "/"},
	{path: "/from"}, {path: "/both"}, {path: "/"}, {path: "/nobody"},
}

// send sends it, and answers status, place and body in one line.
func (a *agreed) send(ctx context.Context, q asked) (string, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, "http://"+a.public+q.path+"?"+q.query, nil)
	if err != nil {
		return "", err
	}
	if r.Host = q.host; q.host == "" {
		r.Host = "www.example.com"
	}
	if q.beta != "" {
		r.Header.Set("X-Beta", q.beta)
	}
	resp, err := asker.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusServiceUnavailable {
		body = nil // in the load balancer's own words
	}
	if location := resp.Header.Get("Location"); location != "" {
		body = []byte(location)
	}
	return resp.Status[:3] + " " + string(body), err
}

// rule is the first of a listener's that takes it.
func (q asked) rule(all []types.Rule) types.Rule {
	for _, r := range all {
		if !slices.ContainsFunc(r.Conditions, func(c types.RuleCondition) bool { return !q.fits(c) }) {
			return r
		}
	}
	return types.Rule{}
}

// fits says whether a condition is true, by AWS's description of it.
func (q asked) fits(c types.RuleCondition) bool {
	host, _, _ := strings.Cut(q.host, ":")
	switch {
	case c.PathPatternConfig != nil:
		return like(q.path, false, c.PathPatternConfig.Values...) || matches(q.path, c.PathPatternConfig.RegexValues)
	case c.HostHeaderConfig != nil:
		return like(host, true, c.HostHeaderConfig.Values...) || matches(host, c.HostHeaderConfig.RegexValues)
	case c.HttpHeaderConfig != nil:
		return q.beta != "" && like(q.beta, true, c.HttpHeaderConfig.Values...)
	case c.HttpRequestMethodConfig != nil:
		return slices.Contains(c.HttpRequestMethodConfig.Values, q.method)
	case c.QueryStringConfig != nil:
		return slices.ContainsFunc(c.QueryStringConfig.Values, q.has)
	case c.SourceIpConfig != nil:
		return slices.ContainsFunc(c.SourceIpConfig.Values, func(cidr string) bool {
			return netip.MustParsePrefix(cidr).Contains(netip.MustParseAddr("192.0.2.1")) // of some machine: no test is at 203.0.113.0/24
		})
	}
	return false
}

func (q asked) has(want types.QueryStringKeyValuePair) bool {
	for pair := range strings.SplitSeq(q.query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && (want.Key == nil || like(key, true, *want.Key)) && like(value, true, *want.Value) {
			return true
		}
	}
	return false
}

// like says whether one of AWS's patterns takes all of a text.
func like(text string, fold bool, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		expression := "(?s)^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(p)) + "$"
		if fold {
			expression = "(?i)" + expression
		}
		return regexp.MustCompile(expression).MatchString(text)
	})
}

func matches(text string, expressions []string) bool {
	return slices.ContainsFunc(expressions, func(e string) bool { return regexp.MustCompile(e).MatchString(text) })
}

// answers are what an action may answer; healthy are the words of groups with targets in service.
func (q asked) answers(action types.Action, healthy map[string]string) (out []string) {
	switch action.Type {
	case types.ActionTypeEnumFixedResponse:
		return []string{*action.FixedResponseConfig.StatusCode + " " + *action.FixedResponseConfig.MessageBody}
	case types.ActionTypeEnumRedirect:
		r := action.RedirectConfig
		host := q.host
		if host == "" {
			host = "www.example.com"
		}
		place := url.URL{Scheme: strings.ToLower(*r.Protocol), Host: *r.Host + ":" + *r.Port, Path: *r.Path}
		fill := strings.NewReplacer("#{host}", host, "#{port}", "80", "#{path}", strings.TrimPrefix(q.path, "/"), "#{query}", q.query)
		return []string{strings.TrimPrefix(string(r.StatusCode), "HTTP_") + " " + place.Scheme + "://" + fill.Replace(place.Host) + fill.Replace(place.Path) + "?" + fill.Replace(*r.Query)}
	}
	for _, g := range action.ForwardConfig.TargetGroups {
		switch word := healthy[*g.TargetGroupArn]; {
		case *g.Weight == 0:
		case word == "":
			out = append(out, "503 ")
		default:
			out = append(out, "200 "+word)
		}
	}
	return out
}
