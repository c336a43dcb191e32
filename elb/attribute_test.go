package elb

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestAttributesOfGroups(t *testing.T) {
	const both = "[deregistration_delay.timeout_seconds=300 load_balancing.cross_zone.enabled=use_load_balancer_configuration stickiness.enabled=false " +
		"target_group_health.dns_failover.minimum_healthy_targets.count=1 target_group_health.dns_failover.minimum_healthy_targets.percentage=off " +
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=1 target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage=off"
	const app = "load_balancing.algorithm.anomaly_mitigation=off load_balancing.algorithm.type=round_robin slow_start.duration_seconds=0 stickiness.app_cookie.cookie_name= " +
		"stickiness.app_cookie.duration_seconds=86400 stickiness.lb_cookie.duration_seconds=86400 stickiness.type=lb_cookie"
	const net = "deregistration_delay.connection_termination.enabled=false preserve_client_ip.enabled=false proxy_protocol_v2.enabled=false stickiness.type=source_ip " +
		"target_health_state.unhealthy.connection_termination.enabled=true target_health_state.unhealthy.draining_interval_seconds=0"
	for name, c := range map[string]struct {
		g    *TargetGroup
		more string
	}{
		"application": {group(TargetIP, HTTP, HTTP1), app},
		"ip":          {group(TargetIP, TCP, ""), net},
		"instance":    {group(TargetInstance, TCP, ""), net},
		"alb":         {group(TargetALB, TCP, ""), net},
	} {
		want := map[string]string{}
		for w := range strings.FieldsSeq(strings.Trim(both, "[]") + " " + c.more) {
			k, v, _ := strings.Cut(w, "=")
			want[k] = v
		}
		got := map[string]string{}
		for _, p := range c.g.Attributes(nil) {
			got[p.Key] = p.Value
			if p.Value != "" && c.g.CheckAttribute(p.Key, p.Value) != nil {
				t.Errorf("%s: the default of %s is refused: %v", name, p.Key, c.g.CheckAttribute(p.Key, p.Value))
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
		if err := c.g.CheckAttributes(nil); err != nil {
			t.Errorf("%s: the defaults are refused: %v", name, err)
		}
	}
	g := group(TargetIP, HTTP, HTTP1)
	if d := g.Delay(nil); d != 300*time.Second {
		t.Error(d)
	}
	if d := g.Delay(map[string]string{AttrDelay: "0"}); d != 0 {
		t.Error(d)
	}
}

func TestBadAttributes(t *testing.T) {
	const invalid = "InvalidConfigurationRequest"
	app, net := group(TargetIP, HTTP, HTTP1), group(TargetIP, TCP, "")
	for _, c := range []struct {
		g                        *TargetGroup
		key, value, code, phrase string
	}{
		{app, "colour", "blue", CodeValidation, "Target group attribute key 'colour' is not recognized"},
		{app, AttrProxyV2, "true", CodeValidation, "Target group attribute key 'proxy_protocol_v2.enabled' is not recognized"},
		{net, AttrSlowStart, "30", CodeValidation, "Target group attribute key 'slow_start.duration_seconds' is not recognized"},
		{net, AttrStickyType, "lb_cookie", invalid, "Stickiness type 'lb_cookie' is not supported for target groups with the TCP protocol"},
		{app, AttrStickyType, "source_ip", invalid, "Stickiness type 'source_ip' is not supported for target groups with the HTTP protocol"},
		{app, AttrAlgorithm, "weighted_random", invalid, "not supported here"},
		{app, AttrDelay, "3601", CodeValidation, "is not valid for key"},
		{app, AttrDelay, "-1", CodeValidation, "is not valid for key"},
		{app, AttrDelay, "030", CodeValidation, "is not valid for key"},
		{app, AttrSlowStart, "29", CodeValidation, "is not valid for key"},
		{app, AttrSticky, "yes", CodeValidation, "is not valid for key"},
		{app, AttrAppCookieName, "AWSALBX", CodeValidation, "is not valid for key"},
		{app, AttrAppCookieName, "a=b", CodeValidation, "is not valid for key"},
		{app, AttrRouteCount, "off", CodeValidation, "is not valid for key"},
		{app, AttrDNSPercentage, "101", CodeValidation, "is not valid for key"},
	} {
		refused(t, c.key+"="+c.value, c.g.CheckAttribute(c.key, c.value), c.code, c.phrase)
	}
	refused(t, "no name", app.CheckAttributes(map[string]string{AttrSticky: "true", AttrStickyType: StickyByApp}), invalid, AttrAppCookieName)
	refused(t, "slow start", app.CheckAttributes(map[string]string{AttrAlgorithm: LeastOutstanding, AttrSlowStart: "30"}), invalid, "Slow start")
	refused(t, "draining", net.CheckAttributes(map[string]string{AttrUnhealthyDrains: "30"}), invalid, AttrUnhealthyDrains)
	for _, of := range []string{TargetIP, TargetInstance, TargetALB} {
		refused(t, of, group(of, TCP, "").CheckAttribute(AttrPreserveIP, "true"), invalid, AttrProxyV2)
	}
	if err := net.CheckAttributes(map[string]string{AttrUnhealthyDrains: "30", AttrUnhealthyEnds: "false"}); err != nil {
		t.Error(err)
	}
}
