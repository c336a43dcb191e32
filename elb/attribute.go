package elb

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

// Attributes of target groups.
const (
	AttrDelay            = "deregistration_delay.timeout_seconds"
	AttrTerminate        = "deregistration_delay.connection_termination.enabled"
	AttrSticky           = "stickiness.enabled"
	AttrStickyType       = "stickiness.type"
	AttrLBCookie         = "stickiness.lb_cookie.duration_seconds"
	AttrAppCookie        = "stickiness.app_cookie.duration_seconds"
	AttrAppCookieName    = "stickiness.app_cookie.cookie_name"
	AttrAlgorithm        = "load_balancing.algorithm.type"
	AttrAnomaly          = "load_balancing.algorithm.anomaly_mitigation"
	AttrSlowStart        = "slow_start.duration_seconds"
	AttrProxyV2          = "proxy_protocol_v2.enabled"
	AttrPreserveIP       = "preserve_client_ip.enabled"
	AttrUnhealthyEnds    = "target_health_state.unhealthy.connection_termination.enabled"
	AttrUnhealthyDrains  = "target_health_state.unhealthy.draining_interval_seconds"
	AttrDNSCount         = "target_group_health.dns_failover.minimum_healthy_targets.count"
	AttrDNSPercentage    = "target_group_health.dns_failover.minimum_healthy_targets.percentage"
	AttrRouteCount       = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
	AttrRoutePercentage  = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"
	CrossLikeBalancer    = "use_load_balancer_configuration"
	StickyByCookie       = "lb_cookie"
	StickyByApp          = "app_cookie"
	StickyBySource       = "source_ip"
	RoundRobin           = "round_robin"
	LeastOutstanding     = "least_outstanding_requests"
	attrOff              = "off"
	attrTrue, attrFalse  = "true", "false"
	week                 = 7 * 24 * 60 * 60
	unhealthyDrainsLimit = 360000
)

// groupAttribute is what may be set of a target group.
type groupAttribute struct {
	key     string
	preset  string
	allowed func(value string) bool
	where   string // application, network, or both when empty
}

var groupAttributes = []groupAttribute{
	{AttrSticky, attrFalse, words(attrTrue, attrFalse), ""},
	{AttrDelay, "300", number(0, 3600), ""},
	{AttrCrossZone, CrossLikeBalancer, words(attrTrue, attrFalse, CrossLikeBalancer), ""},
	{AttrDNSCount, "1", number(1, MaxTargets, attrOff), ""},
	{AttrDNSPercentage, attrOff, number(1, 100, attrOff), ""},
	{AttrRouteCount, "1", number(1, MaxTargets), ""},
	{AttrRoutePercentage, attrOff, number(1, 100, attrOff), ""},
	{AttrStickyType, StickyByCookie, words(StickyByCookie, StickyByApp), TypeApplication},
	{AttrLBCookie, "86400", number(1, week), TypeApplication},
	{AttrAppCookie, "86400", number(1, week), TypeApplication},
	{AttrAppCookieName, "", cookieName, TypeApplication},
	{AttrAlgorithm, RoundRobin, words(RoundRobin, LeastOutstanding), TypeApplication},
	{AttrAnomaly, attrOff, words(attrOff), TypeApplication},
	{AttrSlowStart, "0", number(30, 900, "0"), TypeApplication},
	{AttrStickyType, StickyBySource, words(StickyBySource), TypeNetwork},
	{AttrProxyV2, attrFalse, words(attrTrue, attrFalse), TypeNetwork},
	{AttrPreserveIP, attrFalse, words(attrFalse), TypeNetwork},
	{AttrTerminate, attrFalse, words(attrTrue, attrFalse), TypeNetwork},
	{AttrUnhealthyEnds, attrTrue, words(attrTrue, attrFalse), TypeNetwork},
	{AttrUnhealthyDrains, "0", number(0, unhealthyDrainsLimit), TypeNetwork},
}

// MaxTargets is how many targets a group has at most, draining ones among them.
const MaxTargets = 1000

func words(all ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(all, v) }
}

// number allows what is written as AWS writes it, from least to most, and some words.
func number(least, most int, also ...string) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return slices.Contains(also, v) || err == nil && least <= n && n <= most && strconv.Itoa(n) == v
	}
}

// cookieName allows names of cookies that are not the load balancer's own.
func cookieName(v string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) }
	return len(v) <= 4096 && !strings.ContainsFunc(v, odd) && !strings.HasPrefix(strings.ToUpper(v), "AWSALB")
}

func (g *TargetGroup) kind() string {
	if g.Network() {
		return TypeNetwork
	}
	return TypeApplication
}

// known are the attributes that a group has.
func (g *TargetGroup) known(key string) (groupAttribute, bool) {
	i := slices.IndexFunc(groupAttributes, func(a groupAttribute) bool {
		return a.key == key && (a.where == "" || a.where == g.kind())
	})
	if i < 0 {
		return groupAttribute{}, false
	}
	return groupAttributes[i], true
}

// Attribute is the value of an attribute: what was set, or its default.
func (g *TargetGroup) Attribute(set map[string]string, key string) string {
	if v, ok := set[key]; ok {
		return v
	}
	a, _ := g.known(key)
	return a.preset
}

// Attributes are all attributes of a group with their values, in order of their keys.
func (g *TargetGroup) Attributes(set map[string]string) (all []Pair) {
	for _, a := range groupAttributes {
		if a.where == "" || a.where == g.kind() {
			all = append(all, Pair{a.key, g.Attribute(set, a.key)})
		}
	}
	slices.SortFunc(all, func(a, b Pair) int { return cmp.Compare(a.Key, b.Key) })
	return all
}

// Delay is how long a draining target of the group waits for what is in flight.
func (g *TargetGroup) Delay(set map[string]string) time.Duration {
	n, _ := strconv.Atoi(g.Attribute(set, AttrDelay))
	return time.Duration(n) * time.Second
}

// CheckAttribute says what is wrong with an attribute that somebody sets.
func (g *TargetGroup) CheckAttribute(key, value string) error {
	a, ok := g.known(key)
	switch {
	case !ok:
		return Invalid("Target group attribute key '%s' is not recognized", key)
	case a.allowed(value):
		return nil
	case key == AttrStickyType && slices.Contains([]string{StickyByCookie, StickyByApp, StickyBySource}, value):
		return bad("Stickiness type '%s' is not supported for target groups with the %s protocol", value, g.Protocol)
	case key == AttrAlgorithm && value == "weighted_random", key == AttrAnomaly && value == "on":
		return bad("Load balancing algorithm 'weighted_random' and anomaly mitigation are not supported here; use '%s' or '%s'", RoundRobin, LeastOutstanding)
	case key == AttrPreserveIP && value == attrTrue:
		return bad("Preserving clients' addresses as the source of connections to targets is not supported here; enable '%s' for targets to be told them", AttrProxyV2)
	}
	return Invalid("Target group attribute value '%s' is not valid for key '%s'", value, key)
}

// CheckAttributes says what is wrong with attributes together.
func (g *TargetGroup) CheckAttributes(set map[string]string) error {
	of := func(key string) string { return g.Attribute(set, key) }
	switch {
	case of(AttrSticky) == attrTrue && of(AttrStickyType) == StickyByApp && of(AttrAppCookieName) == "":
		return bad("You must specify '%s' to use stickiness of type '%s'", AttrAppCookieName, StickyByApp)
	case of(AttrAlgorithm) == LeastOutstanding && of(AttrSlowStart) != "0":
		return bad("Slow start mode is not supported with the load balancing algorithm '%s'", LeastOutstanding)
	case of(AttrUnhealthyEnds) == attrTrue && of(AttrUnhealthyDrains) != "0":
		return bad("'%s' can be set only when '%s' is false", AttrUnhealthyDrains, AttrUnhealthyEnds)
	}
	return nil
}

// bad is the error of what is right by itself and wrong together.
func bad(format string, args ...any) error {
	return Errorf(shape.CodeInvalidConfigurationRequestException, format, args...)
}
