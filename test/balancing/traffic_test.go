package balancing

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const (
	fleetHost  = "fleet.example"
	fleetTasks = 10
)

// TestTraffic has parts that follow each other: what one does to the region is mended when the next begins.
func TestTraffic(t *testing.T) {
	w := newWorld(t)
	web := w.group(t, "fleet", nil)
	calls := w.group(t, "calls", func(in *elbv2.CreateTargetGroupInput) {
		in.ProtocolVersion, in.Matcher = aws.String("GRPC"), &elbtypes.Matcher{GrpcCode: aws.String("0")}
	})
	raw := w.group(t, "raw", func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.Port = elbtypes.ProtocolEnumTcp, aws.Int32(81) })
	w.rule(t, w.plain, 10, forward(web), host(fleetHost))
	w.rule(t, w.secure, 10, forward(calls), path("/calls/*"))
	w.rule(t, w.secure, 20, forward(web), host(secureHost))
	w.listen(t, &elbv2.CreateListenerInput{LoadBalancerArn: &w.net.arn, Protocol: elbtypes.ProtocolEnumTcp, Port: aws.Int32(81), DefaultActions: []elbtypes.Action{forward(raw)}})
	w.serve(t, "fleet", "one", fleetTasks, behind(web, 80), behind(calls, 80), behind(raw, 81))
	w.active(t)
	w.healthy(t, web, fleetTasks)
	w.healthy(t, calls, fleetTasks)
	w.healthy(t, raw, fleetTasks)
	t.Run("Protocols", w.protocols)
	t.Run("Rules", w.rules)
	t.Run("Leaves", w.leaves)
	t.Run("Replaced", w.replaced)
	t.Run("Alone", w.alone)
	t.Run("Restarts", w.restarts)
	t.Run("Rolling", w.rolling)
	t.Run("Logged", w.logged)
}

// protocols: each kind of client is served.
func (w *world) protocols(t *testing.T) {
	for name, make := range w.clients("/", "one") {
		l := begin(t, 2, 100, make)
		l.reach(t, 20)
		l.result(t, name, 0)
	}
}

// clients are one of each kind. Those of HTTP ask for a path, and want one of the answers.
func (w *world) clients(path string, want ...string) map[string]func() client {
	return map[string]func() client{
		"HTTP/1.1": func() client {
			return posting(w.web("http", fleetHost, false), "http://"+fleetHost+path, "text/plain", want...)
		},
		"HTTP/2": func() client {
			return posting(w.web("https", secureHost, true), "https://"+secureHost+path, "text/plain", want...)
		},
		"gRPC": func() client {
			return posting(w.web("https", secureHost, true), "https://"+secureHost+"/calls/Say", grpcKind, string(make([]byte, 5)))
		},
		"WebSocket": func() client { return echoing(w.app.next(80), websocket(fleetHost)) },
		"TCP":       func() client { return echoing(w.net.next(81), bare) },
	}
}
