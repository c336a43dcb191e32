package elb

import (
	"slices"
	"strconv"
	"strings"
)

// Words of target groups.
const (
	TargetInstance = "instance"
	TargetIP       = "ip"
	TargetALB      = "alb"

	HTTP  = "HTTP"
	HTTPS = "HTTPS"
	TCP   = "TCP"

	HTTP1 = "HTTP1"
	HTTP2 = "HTTP2"
	GRPC  = "GRPC"

	// TrafficPort is the port of a check that is each target's own.
	TrafficPort = "traffic-port"
)

// Network says whether a group is for network load balancers.
func (g *TargetGroup) Network() bool { return g.Protocol == TCP }

// DefaultCheck is how the targets of a group are looked at when nobody says anything but, maybe, by which protocol.
func (g *TargetGroup) DefaultCheck(protocol string) Check {
	if protocol == "" {
		protocol = HTTP
		if g.Network() && g.Type != TargetALB {
			protocol = TCP
		}
	}
	c := Check{Enabled: true, Protocol: protocol, Port: TrafficPort, Interval: 30, Timeout: g.timeout(protocol), Healthy: 5, Unhealthy: 2}
	if protocol == TCP {
		return c
	}
	c.Path = "/"
	switch {
	case g.Version == GRPC:
		c.Path, c.GRPCCodes = "/AWS.ALB/healthcheck", "12"
	case g.Network():
		c.HTTPCodes = "200-399"
	default:
		c.HTTPCodes = "200"
	}
	return c
}

func (g *TargetGroup) timeout(protocol string) int32 {
	switch {
	case !g.Network():
		return 5
	case protocol == HTTP:
		return 6
	}
	return 10
}

// ranges of a check's numbers.
var checkRanges = []struct {
	name     string
	of       func(Check) int32
	min, max int32
}{
	{"Health check interval", func(c Check) int32 { return c.Interval }, 5, 300},
	{"Health check timeout", func(c Check) int32 { return c.Timeout }, 2, 120},
	{"Healthy threshold count", func(c Check) int32 { return c.Healthy }, 2, 10},
	{"Unhealthy threshold count", func(c Check) int32 { return c.Unhealthy }, 2, 10},
}

// CheckCheck says what is wrong with how the targets of a group are looked at.
func (g *TargetGroup) CheckCheck() error {
	c := g.Check
	if !c.Enabled {
		return Invalid("Health check enabled must be true for target groups with target type '%s'", g.Type)
	}
	if err := g.checkProtocol(); err != nil {
		return err
	}
	for _, r := range checkRanges {
		if n := r.of(c); n < r.min || n > r.max {
			return Invalid("%s '%d' must be between '%d' and '%d' inclusive", r.name, n, r.min, r.max)
		}
	}
	if c.Interval <= c.Timeout {
		return Invalid("Health check interval must be greater than the timeout.")
	}
	if n, err := strconv.Atoi(c.Port); c.Port != TrafficPort && (err != nil || n < 1 || n > 65535 || c.Port != strconv.Itoa(n)) {
		return Invalid("Health check port '%s' must be '%s' or a value between '1' and '65535' inclusive", c.Port, TrafficPort)
	}
	return g.checkAnswers()
}

func (g *TargetGroup) checkProtocol() error {
	switch p := g.Check.Protocol; {
	case !slices.Contains([]string{HTTP, HTTPS, TCP}, p):
		return Invalid("Health check protocol '%s' must be one of the following values: %s, %s, %s", p, HTTP, HTTPS, TCP)
	case p == TCP && (!g.Network() || g.Type == TargetALB):
		return Invalid("Health check protocol 'TCP' is not supported for target groups with the %s protocol and the target type '%s'", g.Protocol, g.Type)
	}
	return nil
}

// checkAnswers checks what a target is asked and may answer.
func (g *TargetGroup) checkAnswers() error {
	c := g.Check
	if c.Protocol == TCP {
		if c.Path != "" || c.HTTPCodes != "" || c.GRPCCodes != "" {
			return Invalid("A health check path or matcher cannot be specified for health checks with the TCP protocol")
		}
		return nil
	}
	if !strings.HasPrefix(c.Path, "/") || len(c.Path) > 1024 || strings.ContainsFunc(c.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return Invalid("Health check path '%s' must begin with a '/' character, and can be up to 1024 printable characters long", c.Path)
	}
	if g.Version == GRPC {
		if c.HTTPCodes != "" {
			return Invalid("You cannot specify an HTTP code matcher for target groups with the GRPC protocol version")
		}
		return checkCodes("GrpcCode", c.GRPCCodes, 0, 99)
	}
	if c.GRPCCodes != "" {
		return Invalid("You can specify a gRPC code matcher only for target groups with the GRPC protocol version")
	}
	if g.Network() {
		return checkCodes("HttpCode", c.HTTPCodes, 200, 599)
	}
	return checkCodes("HttpCode", c.HTTPCodes, 200, 499)
}

func checkCodes(what, codes string, least, most int) error {
	ranges, ok := ParseCodes(codes)
	for _, r := range ranges {
		ok = ok && least <= r[0] && r[1] <= most
	}
	if !ok {
		return Invalid("Health check matcher %s '%s' must be a comma-separated list of values or ranges of values between '%d' and '%d' inclusive", what, codes, least, most)
	}
	return nil
}

// ParseCodes reads a matcher: values and ranges, separated by commas.
func ParseCodes(s string) (ranges [][2]int, ok bool) {
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return nil, false
		}
		b, err := strconv.ParseUint(to, 10, 16)
		if err != nil || b < a {
			return nil, false
		}
		ranges = append(ranges, [2]int{int(a), int(b)})
	}
	return ranges, true
}
