package targets

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/proxyconf"
)

// Load is what went to a target group in the last minute, as far as this server heard.
type Load struct {
	Requests, Errors, Connections, Bytes int64
	Latency                              time.Duration // of a request, on average
}

// Loads keeps what nodes count. It is safe for concurrent use.
type Loads struct {
	counters [5]*prometheus.CounterVec

	mu     sync.Mutex
	groups map[string]*ring // by ARN
	swept  time.Time
}

// A ring has the last minute, and the slot that is being filled.
const (
	slot  = 5 * time.Second
	slots = 13
)

// idle is how long after the last count what is known of a group is kept.
const idle = time.Hour

type ring struct {
	sums  [slots]sum
	parts map[elb.Part]bool // that counted
	last  time.Time
}

type sum struct {
	at   int64 // number of the slot since the epoch
	load proxyconf.Count
}

var names = [5][2]string{
	{"berth_elb_requests_total", "Requests that load balancers sent to a target group."},
	{"berth_elb_errors_total", "Answers of 5xx from a target group, and connections to it that failed."},
	{"berth_elb_connections_total", "Connections to a target group."},
	{"berth_elb_bytes_total", "Bytes that went to and came from a target group."},
	{"berth_elb_latency_seconds_total", "Time that targets of a group took to answer, of all requests."},
}

// NewLoads registers the metrics, where there is a registry.
func NewLoads(r prometheus.Registerer) *Loads {
	l := &Loads{groups: map[string]*ring{}}
	for i, n := range names {
		l.counters[i] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: n[0], Help: n[1]}, []string{"load_balancer", "target_group"})
		if r != nil {
			r.MustRegister(l.counters[i])
		}
	}
	return l
}

// add books what a part counted.
func (l *Loads) add(p elb.Part, c proxyconf.Count, now time.Time) {
	h, kind, parts, ok := elb.ParseARN(c.Cluster)
	if !ok || h != p.Home || kind != "targetgroup" || len(parts) != 2 || min(c.Requests, c.Errors, c.Connections, c.Bytes) < 0 || !(c.LatencySum >= 0) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	for i, n := range []float64{float64(c.Requests), float64(c.Errors), float64(c.Connections), float64(c.Bytes), c.LatencySum} {
		if n > 0 {
			l.counters[i].WithLabelValues(p.LoadBalancer, parts[1]).Add(n)
		}
	}
	r, ok := l.groups[c.Cluster]
	if !ok {
		r = &ring{parts: map[elb.Part]bool{}}
		l.groups[c.Cluster] = r
	}
	r.last, r.parts[p] = now, true
	at := now.UnixNano() / int64(slot)
	s := &r.sums[at%slots]
	if s.at != at {
		*s = sum{at: at}
	}
	s.load.Requests += c.Requests
	s.load.Errors += c.Errors
	s.load.Connections += c.Connections
	s.load.Bytes += c.Bytes
	s.load.LatencySum += c.LatencySum
}

// sweep forgets groups that nobody counted for long.
func (l *Loads) sweep(now time.Time) {
	if now.Sub(l.swept) < idle/4 {
		return
	}
	l.swept = now
	for arn, r := range l.groups {
		if now.Sub(r.last) < idle {
			continue
		}
		_, _, parts, _ := elb.ParseARN(arn)
		for p := range r.parts {
			for _, c := range l.counters {
				c.DeleteLabelValues(p.LoadBalancer, parts[1])
			}
		}
		delete(l.groups, arn)
	}
}

// Of is what went to a target group (by ARN) in the minute before now; false when nobody counted it for long.
func (l *Loads) Of(group string, now time.Time) (out Load, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.groups[group]
	if !ok {
		return out, false
	}
	at, latency := now.UnixNano()/int64(slot), 0.0
	for _, s := range r.sums {
		if s.at > at-slots && s.at < at { // whole slots
			out.Requests += s.load.Requests
			out.Errors += s.load.Errors
			out.Connections += s.load.Connections
			out.Bytes += s.load.Bytes
			latency += s.load.LatencySum
		}
	}
	if out.Requests > 0 {
		out.Latency = time.Duration(latency / float64(out.Requests) * float64(time.Second))
	}
	return out, true
}
