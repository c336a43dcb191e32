package feed

import (
	"context"

	"github.com/berth-ecs/berth/nodeconf"
	"github.com/berth-ecs/berth/store"
)

// Subscription follows the configuration of one node. One reader at a time.
type Subscription struct {
	feed  *Feed
	node  string
	ready chan struct{} // holds one token when there may be something to take
	done  chan struct{} // closed by Close

	// Guarded by the feed.
	at      int64 // version that was taken last
	ahead   bool  // at is later than what the feed knew when it came: it may be of another store
	whole   bool  // what is due is everything
	pending nodeconf.Delta
	lent    bool // pending is somebody else's, too: it is not changed
	closed  bool
}

// Subscribe follows the configuration of a node (by compile.NodeKey) from the version that the node has; 0 is none. A version that is not known leads to a whole
// configuration first.
func (f *Feed) Subscribe(node string, have int64) *Subscription {
	s := &Subscription{feed: f, node: node, at: have, ready: make(chan struct{}, 1), done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subs[node] == nil {
		f.subs[node] = map[*Subscription]struct{}{}
	}
	f.subs[node][s] = struct{}{}
	select {
	case <-f.ended:
		s.wake()
	default:
	}
	if f.index == nil {
		return s
	}
	since, known := f.past.from(node, have)
	s.ahead = have > f.revision
	if have == 0 || !known {
		s.startOver()
	}
	if s.ahead {
		s.wake()
	}
	for _, d := range since {
		s.push(d)
	}
	return s
}

// startOver makes everything due.
func (s *Subscription) startOver() {
	s.whole, s.ahead, s.pending, s.lent = true, false, nodeconf.Delta{}, false
	s.wake()
}

// push adds a change. It never blocks.
func (s *Subscription) push(d nodeconf.Delta) {
	if s.whole || d.To <= s.at || d.Empty() {
		return
	}
	s.add(d)
	if cost(&s.pending) > s.feed.Pending {
		s.startOver()
	}
	s.wake()
}

// add puts a change behind those that wait. The only one is kept as it is: most wait for nobody.
func (s *Subscription) add(d nodeconf.Delta) {
	if s.pending.To == 0 {
		s.pending, s.lent = d, true
		return
	}
	if s.lent {
		var own nodeconf.Delta
		own.Then(s.pending)
		s.pending, s.lent = own, false
	}
	s.pending.Then(d)
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Ready has something when Take may have.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take is the change since the one before, without waiting for one; not ok: there is none. It fails when the feed has ended or s is closed.
func (s *Subscription) Take(ctx context.Context) (d nodeconf.Delta, ok bool, err error) {
	if err := s.checkAhead(ctx); err != nil {
		return d, false, err
	}
	d, ok = s.take()
	select {
	case <-s.done:
		err = store.ErrClosed
	case <-s.feed.ended:
		err = errEnded
	default:
		return d, ok, nil
	}
	if ok { // what is left is taken first
		s.wake()
		return d, true, nil
	}
	return d, false, err
}

// Next waits for the next change. It fails as Take does, and when ctx ends.
func (s *Subscription) Next(ctx context.Context) (nodeconf.Delta, error) {
	for {
		d, ok, err := s.Take(ctx)
		if ok || err != nil {
			return d, err
		}
		select {
		case <-ctx.Done():
			return nodeconf.Delta{}, context.Cause(ctx)
		case <-s.done:
		case <-s.feed.ended:
		case <-s.ready:
		}
	}
}

// checkAhead asks the store whether a version that is later than what the feed knows is one of its: a store that was restored from a backup counts
// from an earlier one.
func (s *Subscription) checkAhead(ctx context.Context) error {
	s.feed.mu.Lock()
	ahead := s.ahead
	s.feed.mu.Unlock()
	if !ahead {
		return nil
	}
	var now int64
	err := s.feed.Store.View(ctx, store.Fresh, func(tx store.Tx) error {
		now = tx.Revision()
		return nil
	})
	if err != nil {
		return err
	}
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.ahead = false; s.at > now {
		s.startOver()
	}
	return nil
}

func (s *Subscription) take() (nodeconf.Delta, bool) {
	f := s.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	var d nodeconf.Delta
	switch {
	case s.whole, s.at == 0 && s.pending.To > 0: // from version 0 leads only everything
		c := f.index.Config(s.node)
		d = nodeconf.Delta{To: f.revision, Set: c.Resources}
	case s.pending.To > s.at:
		d = s.pending
		d.From = s.at
	default:
		return d, false
	}
	f.past.told[s.node] = true
	s.at, s.whole, s.pending, s.lent = d.To, false, nodeconf.Delta{}, false
	return d, true
}

// Close frees the subscription; a blocked Next returns store.ErrClosed.
func (s *Subscription) Close() {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.done)
	if delete(s.feed.subs[s.node], s); len(s.feed.subs[s.node]) == 0 {
		delete(s.feed.subs, s.node)
	}
}
