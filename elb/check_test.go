package elb

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	aws "github.com/berth-ecs/berth/wire/shape"
)

func group(kind, protocol, version string) *TargetGroup {
	return &TargetGroup{Type: kind, Protocol: protocol, Version: version, Port: 80}
}

func TestDefaultChecks(t *testing.T) {
	for name, c := range map[string]struct {
		g        *TargetGroup
		protocol string
		want     Check
	}{
		"HTTP":             {group(TargetInstance, HTTP, HTTP1), "", Check{true, HTTP, TrafficPort, "/", 30, 5, 5, 2, "200", ""}},
		"HTTPS":            {group(TargetIP, HTTPS, HTTP2), HTTPS, Check{true, HTTPS, TrafficPort, "/", 30, 5, 5, 2, "200", ""}},
		"gRPC":             {group(TargetIP, HTTP, GRPC), "", Check{true, HTTP, TrafficPort, "/AWS.ALB/healthcheck", 30, 5, 5, 2, "", "12"}},
		"TCP":              {group(TargetIP, TCP, ""), "", Check{true, TCP, TrafficPort, "", 30, 10, 5, 2, "", ""}},
		"TCP, HTTP check":  {group(TargetIP, TCP, ""), HTTP, Check{true, HTTP, TrafficPort, "/", 30, 6, 5, 2, "200-399", ""}},
		"TCP, HTTPS check": {group(TargetIP, TCP, ""), HTTPS, Check{true, HTTPS, TrafficPort, "/", 30, 10, 5, 2, "200-399", ""}},
		"load balancers":   {group(TargetALB, TCP, ""), "", Check{true, HTTP, TrafficPort, "/", 30, 6, 5, 2, "200-399", ""}},
	} {
		c.g.Check = c.g.DefaultCheck(c.protocol)
		if c.g.Check != c.want {
			t.Errorf("%s: %+v", name, c.g.Check)
		}
		if err := c.g.CheckCheck(); err != nil {
			t.Errorf("%s: the default is wrong: %v", name, err)
		}
	}
}

func TestBadChecks(t *testing.T) {
	app, net := group(TargetIP, HTTP, HTTP1), group(TargetIP, TCP, "")
	for name, c := range map[string]struct {
		g      *TargetGroup
		change func(*Check)
		want   string
	}{
		"interval":           {app, func(c *Check) { c.Interval = 4 }, "Health check interval '4' must be between '5' and '300' inclusive"},
		"timeout":            {app, func(c *Check) { c.Timeout = 121 }, "Health check timeout '121' must be between '2' and '120' inclusive"},
		"healthy":            {app, func(c *Check) { c.Healthy = 1 }, "Healthy threshold count '1' must be between '2' and '10' inclusive"},
		"unhealthy":          {app, func(c *Check) { c.Unhealthy = 11 }, "Unhealthy threshold count '11' must be between '2' and '10' inclusive"},
		"interval = timeout": {app, func(c *Check) { c.Interval, c.Timeout = 5, 5 }, "Health check interval must be greater than the timeout."},
		"off":                {app, func(c *Check) { c.Enabled = false }, "Health check enabled must be true for target groups with target type 'ip'"},
		"TCP of HTTP":        {app, func(c *Check) { c.Protocol = TCP }, "Health check protocol 'TCP' is not supported for target groups with the HTTP protocol"},
		"UDP":                {net, func(c *Check) { c.Protocol = "UDP" }, "must be one of the following values"},
		"path of TCP":        {net, func(c *Check) { c.Path = "/" }, "cannot be specified for health checks with the TCP protocol"},
		"path":               {app, func(c *Check) { c.Path = "x" }, "must begin with a '/' character"},
		"path with a line":   {app, func(c *Check) { c.Path = "/ HTTP/1.1\r\nA: b" }, "must begin with a '/' character"},
		"port":               {app, func(c *Check) { c.Port = "0" }, "Health check port '0' must be"},
		"port of words":      {app, func(c *Check) { c.Port = "http" }, "Health check port 'http' must be"},
		"code of ALB":        {app, func(c *Check) { c.HTTPCodes = "200-500" }, "between '200' and '499' inclusive"},
		"codes":              {app, func(c *Check) { c.HTTPCodes = "299-200" }, "between '200' and '499' inclusive"},
		"no codes":           {app, func(c *Check) { c.HTTPCodes = "" }, "between '200' and '499' inclusive"},
		"gRPC codes of HTTP": {app, func(c *Check) { c.GRPCCodes = "0" }, "only for target groups with the GRPC protocol version"},
		"codes of gRPC":      {group(TargetIP, HTTP, GRPC), func(c *Check) { c.HTTPCodes = "200" }, "cannot specify an HTTP code matcher"},
		"gRPC codes":         {group(TargetIP, HTTP, GRPC), func(c *Check) { c.GRPCCodes = "100" }, "between '0' and '99' inclusive"},
	} {
		g := *c.g
		g.Check = g.DefaultCheck("")
		c.change(&g.Check)
		refused(t, name, g.CheckCheck(), CodeValidation, c.want)
	}
}

func refused(t *testing.T, name string, err error, code, phrase string) {
	t.Helper()
	e, ok := errors.AsType[*aws.Error](err)
	if !ok || e.Code != code || !strings.Contains(e.Message, phrase) {
		t.Errorf("%s: %v, want %s: %s", name, err, code, phrase)
	}
}

func TestCodes(t *testing.T) {
	for s, want := range map[string][][2]int{"200": {{200, 200}}, "200,202": {{200, 200}, {202, 202}}, "200-299, 301": {{200, 299}, {301, 301}}} {
		if got, ok := ParseCodes(s); !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", ",", "200,", "-", "200-", "a", "299-200", "+200", "200-2-3"} {
		if got, ok := ParseCodes(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		ranges, ok := ParseCodes(rapid.StringMatching(`[0-9,\- ]{0,12}`).Draw(t, "codes"))
		for _, r := range ranges {
			if ok && r[0] > r[1] {
				t.Fatal(ranges)
			}
		}
	})
}
