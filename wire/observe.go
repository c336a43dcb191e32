package wire

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/wire/fair"
	"github.com/berth-ecs/berth/wire/protocol"
	"github.com/berth-ecs/berth/wire/redact"
)

// metrics are the edge's own. Labels come from AWS's models and from codes, never from what a client makes up.
type metrics struct {
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	throttled *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, g *fair.Gate) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "berth_wire_requests_total", Help: "AWS requests answered, by operation and error code (empty: success).",
		}, []string{"service", "operation", "status", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "berth_wire_request_seconds", Help: "Time from a request's arrival to its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"service", "operation"}),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "berth_wire_throttled_total", Help: "Requests refused because their account asked too often, by class of operation.",
		}, []string{"class"}),
	}
	if r == nil {
		return m, nil
	}
	errs := []error{r.Register(m.requests), r.Register(m.seconds), r.Register(m.throttled)}
	for class, name := range classNames {
		errs = append(errs, r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "berth_wire_inflight_requests", Help: "Operations that are being served, by class.", ConstLabels: prometheus.Labels{"class": name},
		}, func() float64 { return float64(g.Inside(class)) })))
	}
	return m, errors.Join(errs...)
}

// names are the service and operation for a label: only what a model has.
func (q *request) names() (service, operation string) {
	service, operation = "unknown", "unknown"
	if q.service != nil {
		service = q.service.Package
	}
	if q.info != nil {
		operation = q.info.Name
	}
	return service, operation
}

// done counts and logs an answered request.
func (q *request) done(ctx context.Context, a protocol.Answer, code string) {
	service, operation := q.names()
	took := q.edge.Now().Sub(q.start)
	q.edge.metrics.requests.WithLabelValues(service, operation, strconv.Itoa(a.Status), code).Inc()
	q.edge.metrics.seconds.WithLabelValues(service, operation).Observe(took.Seconds())
	attrs := []slog.Attr{
		slog.String("service", service), slog.String("operation", operation), slog.Int("status", a.Status), slog.String("code", code),
		slog.String("request_id", q.ID), slog.String("account", q.call.Account), slog.String("principal", q.call.Principal),
		slog.String("access_key", q.call.AccessKey), slog.String("region", q.call.Region), slog.String("remote", q.call.RemoteAddr),
		slog.Duration("took", took.Round(time.Microsecond)), slog.Int("bytes_in", len(q.Body)), slog.Int("bytes_out", len(a.Body)),
	}
	if q.input != nil && q.edge.Log.Enabled(ctx, slog.LevelDebug) {
		attrs = append(attrs, slog.Any("input", redact.Input{Service: q.service, Shape: q.info.Input, Value: q.input}))
	}
	q.edge.Log.LogAttrs(ctx, q.level(a), "request", attrs...)
}

// level is debug for a read that went well: consoles and waiters ask many times a second, and their questions are no history.
func (q *request) level(a protocol.Answer) slog.Level {
	if a.Status < 400 && q.service != nil && q.info != nil && classOf(q.service, q.info) == classRead {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// logInternal keeps the text that the client is not told.
func (q *request) logInternal(ctx context.Context, err error) {
	service, operation := q.names()
	q.edge.Log.LogAttrs(ctx, slog.LevelError, "internal error", slog.String("service", service), slog.String("operation", operation),
		slog.String("request_id", q.ID), slog.String("error", err.Error()))
}
