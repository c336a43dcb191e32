// Package backoff says how long to wait before the next try.
//
// What is guaranteed: waits grow from First to Most and never beyond Most but for the jitter; the same try and the same
// randomness give the same wait, because randomness is an input.
package backoff

import (
	"math"
	"time"
)

// Away is the longest wait for servers that do not answer: a node that is told nothing knows within it that they are back.
const Away = 5 * time.Second

// Policy grows from First to Most by Factor. Jitter is the part of the wait that is random: 0.2 is up to a fifth less or more.
type Policy struct {
	First, Most    time.Duration
	Factor, Jitter float64
}

// Wait answers the wait before try n, the first being 0. random is in [0, 1).
func (p Policy) Wait(n int, random float64) time.Duration {
	d := math.Min(float64(p.Most), float64(p.First)*math.Pow(p.Factor, float64(n)))
	return time.Duration(d * (1 + p.Jitter*(2*random-1)))
}
