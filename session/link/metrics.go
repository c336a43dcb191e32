package link

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/nodeconf"
	protocol "github.com/berth-ecs/berth/session"
)

// metrics are those of a server's sessions with nodes.
type metrics struct {
	nodes     prometheus.Gauge
	changes   prometheus.Counter
	resources prometheus.Counter
	resyncs   prometheus.Counter
	failures  prometheus.Counter
	spent     prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, lag func() float64) *metrics {
	m := &metrics{
		nodes: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "berth_link_nodes", Help: "Nodes that follow their configuration on this server.",
		}),
		changes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_link_changes_total", Help: "Changes of configurations that were sent to nodes.",
		}),
		resources: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_link_resources_total", Help: "Resources in the changes that were sent to nodes.",
		}),
		resyncs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_link_resyncs_total", Help: "Times that a node could not go on from what it was sent and asked for the whole.",
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "berth_link_failures_total", Help: "Acknowledgements of nodes that could not be as they should.",
		}),
		spent: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "berth_link_apply_seconds", Help: "Time a node took to become what it was told.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	if r != nil {
		r.MustRegister(m.nodes, m.changes, m.resources, m.resyncs, m.failures, m.spent, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "berth_link_lag_revisions", Help: "The most that a node is behind what it was sent, in revisions of the store.",
		}, lag))
	}
	return m
}

func (m *metrics) sent(d nodeconf.Delta) {
	m.changes.Inc()
	m.resources.Add(float64(d.Set.Len() + len(d.Gone)))
}

func (m *metrics) heard(a *protocol.NodeConfigurationAck) {
	if a.Error != "" {
		m.failures.Inc()
	}
	if a.Duration > 0 {
		m.spent.Observe((time.Duration(a.Duration) * time.Millisecond).Seconds())
	}
}
