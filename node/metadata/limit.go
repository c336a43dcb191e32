package metadata

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// The ECS agent's limits: of one caller, for one question.
const (
	perSecond = 40
	burst     = 60
)

// limiter counts the requests of each caller, question by question, so that one who asks without end takes nothing from
// the others. It holds only callers of the last moments.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[limitKey]bucket
	swept   time.Time
}

// limitKey is a caller and what it asks. Callers of one address are told apart by the id they ask with, where the address
// is the machine's and its processes share it.
type limitKey struct {
	caller   netip.Addr
	question string
	id       string
}

// bucket holds what is left of a caller's burst.
type bucket struct {
	left float64
	at   time.Time
}

// refilled is after how long every bucket is full again, so that it need not be remembered.
const refilled = time.Second * burst / perSecond

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[limitKey]bucket{}}
}

// allow takes one request of the caller's allowance.
func (l *limiter) allow(k limitKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	b, ok := l.buckets[k]
	if !ok {
		b.left = burst
	} else {
		b.left = min(burst, b.left+perSecond*now.Sub(b.at).Seconds())
	}
	b.at = now
	ok = b.left >= 1
	if ok {
		b.left--
	}
	l.buckets[k] = b
	return ok
}

func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < refilled {
		return
	}
	l.swept = now
	for k, b := range l.buckets {
		if now.Sub(b.at) >= refilled {
			delete(l.buckets, k)
		}
	}
}

// limited is f within the agent's limits, and the agent's answer beyond them.
func (h *handler) limited(question string, f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, _ := netip.ParseAddrPort(r.RemoteAddr) // what has no address shares the zero one
		k := limitKey{caller: from.Addr().Unmap(), question: question}
		if !h.onBridge(k.caller) {
			k.id = r.PathValue("id")
		}
		if h.limits.allow(k) {
			f(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Rate-Limit-Limit", "40.00")
		w.Header().Set("X-Rate-Limit-Duration", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte("You have reached maximum request limit.")) // who is gone needs no answer
	}
}

// onBridge tells a container's own address from one that processes of the machine share.
func (h *handler) onBridge(a netip.Addr) bool {
	s, ok := h.source.(CallerSource)
	return ok && s.IsEndpoint(a)
}
