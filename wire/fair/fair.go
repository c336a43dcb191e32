// Package fair keeps one caller from taking what others need: a token bucket per caller and class of work, and a gate that admits a bounded
// number at once, the more important class first.
//
// Guarantees:
//   - A class never has more than its own number inside the gate, all together never more than the total, so a class whose cap is below the
//     total can never shut out the others.
//   - Of those who wait, the class with the smallest number goes first; within a class the order is that of arrival.
//   - Who waits can leave (its context ends) without costing anyone a place.
package fair

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrBusy says that too many wait already.
var ErrBusy = errors.New("fair: too many requests are waiting")

// Limits are a gate's sizes.
type Limits struct {
	Total  int   // required; inside together
	Caps   []int // required; inside per class; its length is the number of classes
	Queued int   // required; waiting per class
}

// Gate admits. Use NewGate.
type Gate struct {
	limits Limits

	mu      sync.Mutex
	inside  int
	used    []int
	waiting [][]chan struct{}
}

// NewGate returns an empty gate.
func NewGate(l Limits) *Gate {
	return &Gate{limits: l, used: make([]int, len(l.Caps)), waiting: make([][]chan struct{}, len(l.Caps))}
}

// Enter waits for a place of a class. It returns ErrBusy when too many wait, or the context's error. Call leave exactly once.
func (g *Gate) Enter(ctx context.Context, class int) (leave func(), err error) {
	g.mu.Lock()
	if g.room(class) && len(g.waiting[class]) == 0 {
		g.take(class)
		g.mu.Unlock()
		return func() { g.leave(class) }, nil
	}
	if len(g.waiting[class]) >= g.limits.Queued {
		g.mu.Unlock()
		return nil, ErrBusy
	}
	turn := make(chan struct{})
	g.waiting[class] = append(g.waiting[class], turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return func() { g.leave(class) }, nil
	case <-ctx.Done():
		g.forgo(class, turn)
		return nil, ctx.Err()
	}
}

// Inside is how many of a class are inside.
func (g *Gate) Inside(class int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used[class]
}

func (g *Gate) room(class int) bool {
	return g.inside < g.limits.Total && g.used[class] < g.limits.Caps[class]
}

func (g *Gate) take(class int) {
	g.inside++
	g.used[class]++
}

func (g *Gate) leave(class int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.used[class]--
	g.admit()
}

// admit lets in whoever waits and has room, the first class first.
func (g *Gate) admit() {
	for class := range g.waiting {
		for len(g.waiting[class]) > 0 && g.room(class) {
			g.take(class)
			close(g.waiting[class][0])
			g.waiting[class] = g.waiting[class][1:]
		}
	}
}

// forgo takes a waiter out of the line, or gives back the place it was just given.
func (g *Gate) forgo(class int, turn chan struct{}) {
	g.mu.Lock()
	i := slices.Index(g.waiting[class], turn)
	if i >= 0 {
		g.waiting[class] = slices.Delete(g.waiting[class], i, i+1)
		g.mu.Unlock()
		return
	}
	g.mu.Unlock()
	g.leave(class)
}
