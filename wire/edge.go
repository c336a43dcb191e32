package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/wire/fair"
	"github.com/berth-ecs/berth/wire/protocol"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Config is what an Edge needs.
type Config struct {
	Mux        *Mux                  // required
	Keys       sigv4.Keys            // required
	Authorizer Authorizer            // required
	Regions    []string              // required; the first answers for global services
	AnyRegion  bool                  // optional; whatever is the name of a region is answered for
	Partition  string                // optional; "aws"
	Limits     Limits                // optional
	Now        func() time.Time      // optional; clock.Now
	NewID      func() string         // optional; request ids, random UUIDs
	Log        *slog.Logger          // optional; no logs
	Metrics    prometheus.Registerer // optional; not registered
}

// Edge answers AWS requests. It is safe for concurrent use.
type Edge struct {
	Config

	protocols []protocol.Protocol
	verifier  sigv4.Verifier
	large     chan struct{} // a place per large body that is being read
	buckets   *fair.Buckets
	gate      *fair.Gate
	metrics   *metrics
}

var errOverloaded = errors.New("wire: too many requests at once")

// NewEdge returns the handler of everything bound to c.Mux.
func NewEdge(c Config) (*Edge, error) {
	if c.Mux == nil || c.Keys == nil || c.Authorizer == nil || len(c.Regions) == 0 {
		return nil, errors.New("wire: Mux, Keys, Authorizer and Regions are required")
	}
	if c.Partition == "" {
		c.Partition = "aws"
	}
	if c.Now == nil {
		c.Now = clock.Now
	}
	if c.NewID == nil {
		c.NewID = newID
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Limits = c.Limits.withDefaults()
	l := c.Limits
	gate := fair.NewGate(fair.Limits{Total: l.Total, Caps: []int{l.PerClass, l.PerClass, l.PerClass}, Queued: l.Queued})
	m, err := newMetrics(c.Metrics, gate)
	if err != nil {
		return nil, err
	}
	return &Edge{
		Config:    c,
		protocols: protocol.All(protocol.Bounds{Depth: l.Depth, Elements: l.Elements}),
		verifier:  sigv4.Verifier{Keys: c.Keys, Now: c.Now},
		large:     make(chan struct{}, l.Large),
		buckets:   fair.NewBuckets(l.Agent, l.Write, l.Read),
		gate:      gate,
		metrics:   m,
	}, nil
}

// newID is a random UUID, the form of AWS's request ids.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ServeHTTP implements http.Handler.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{edge: e, start: e.Now()}
	q.Request = protocol.Request{HTTP: r, ID: e.NewID()}
	q.call = Call{RequestID: q.ID, Partition: e.Partition, RemoteAddr: r.RemoteAddr}
	if r.TLS != nil {
		q.call.SecureHost = r.Host
	}
	q.protocol = protocol.Guess(e.protocols, q.Request)
	ctx, cancel := context.WithTimeout(r.Context(), e.Limits.Timeout)
	defer cancel()
	answer, err := q.serve(ctx, w)
	code := ""
	if err != nil {
		f, internal := q.failure(err)
		if internal {
			q.logInternal(ctx, err)
		}
		code = f.Code
		answer = q.protocol.Fail(q.service, q.Request, f)
	}
	q.send(w, answer)
	q.done(ctx, answer, code)
}

// known tells whether region is one of ours.
func (e *Edge) known(region string) bool {
	return slices.Contains(e.Regions, region) || e.AnyRegion && sigv4.RegionName(region)
}
