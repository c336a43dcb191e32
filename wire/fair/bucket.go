package fair

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is what a bucket refills with and holds.
type Rate struct {
	PerSecond float64 // required
	Burst     int     // required
}

// Buckets are token buckets, one per caller and class. Callers must come from a bounded set (accounts that exist): buckets are never
// forgotten.
type Buckets struct {
	rates []Rate // by class

	mu      sync.Mutex
	buckets map[bucketKey]*rate.Limiter
}

type bucketKey struct {
	caller string
	class  int
}

// NewBuckets returns full buckets with a rate per class.
func NewBuckets(rates ...Rate) *Buckets {
	return &Buckets{rates: rates, buckets: map[bucketKey]*rate.Limiter{}}
}

// Take takes a token, if there is one.
func (b *Buckets) Take(now time.Time, caller string, class int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := bucketKey{caller, class}
	l := b.buckets[key]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(b.rates[class].PerSecond), b.rates[class].Burst)
		b.buckets[key] = l
	}
	return l.AllowN(now, 1)
}
