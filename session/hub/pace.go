package hub

import "golang.org/x/time/rate"

// An agent acknowledges every payload at once after it was away, and publishes a few times in 20 s.
const (
	framesASecond = 100
	framesAtOnce  = 2000
)

// newPace is how fast the frames of a session are read. One that sends more waits in its own socket: what others ask for
// is not delayed by it.
func newPace() *rate.Limiter { return rate.NewLimiter(framesASecond, framesAtOnce) }
