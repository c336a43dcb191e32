package loop

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are those of all loops of a process, told apart by the label "loop". A nil *Metrics keeps none.
type Metrics struct {
	runs  *prometheus.CounterVec
	spent *prometheus.HistogramVec
	late  *prometheus.HistogramVec
	queue *prometheus.GaugeVec
}

// NewMetrics makes and registers the metrics, or answers those that are registered: every wing's loops count in the same.
func NewMetrics(r prometheus.Registerer) *Metrics {
	buckets := prometheus.ExponentialBuckets(0.0005, 4, 9)
	m := &Metrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "berth_loop_reconciles_total", Help: "Calls of Reconcile by result: ok or error.",
		}, []string{"loop", "result"}),
		spent: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "berth_loop_reconcile_seconds", Help: "Time a call of Reconcile took.", Buckets: buckets,
		}, []string{"loop"}),
		late: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "berth_loop_wait_seconds", Help: "Time a key waited for a worker after it was due.", Buckets: buckets,
		}, []string{"loop"}),
		queue: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "berth_loop_queue_keys", Help: "Keys that are due now or later.",
		}, []string{"loop"}),
	}
	m.runs, m.spent, m.late, m.queue = shared(r, m.runs), shared(r, m.spent), shared(r, m.late), shared(r, m.queue)
	return m
}

// shared registers a collector, or answers the one that is registered already.
func shared[C prometheus.Collector](r prometheus.Registerer, c C) C {
	err := r.Register(c)
	if again, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := again.ExistingCollector.(C); ok {
			return same
		}
	}
	if err != nil {
		panic(err) // two metrics of one name: a programming error
	}
	return c
}

func (m *Metrics) waiting(loop string, n int) {
	if m != nil {
		m.queue.WithLabelValues(loop).Set(float64(n))
	}
}

func (m *Metrics) started(loop string, late time.Duration) {
	if m != nil {
		m.late.WithLabelValues(loop).Observe(late.Seconds())
	}
}

func (m *Metrics) finished(loop string, spent time.Duration, err error) {
	if m == nil {
		return
	}
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.runs.WithLabelValues(loop, result).Inc()
	m.spent.WithLabelValues(loop).Observe(spent.Seconds())
}
