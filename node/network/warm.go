package network

import (
	"context"
	"time"
)

// retryWarm is the pause after a namespace could not be made ahead; Attach still tries on its own.
const retryWarm = time.Second

// fill keeps the wanted number of slots ready until drain.
func (n *Network) fill() {
	count := n.cfg.Warm
	if count == 0 {
		count = defaultWarm
	}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	if count < 0 {
		return
	}
	n.warm = make(chan *slot, count-1) // one more waits in the filler's hand
	n.filler.Go(func() {
		for ctx.Err() == nil {
			n.fillOne(ctx)
		}
	})
}

func (n *Network) fillOne(ctx context.Context) {
	s, err := n.buildSlot()
	if err != nil {
		n.log.Warn("make a namespace ahead", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryWarm):
		}
		return
	}
	select {
	case n.warm <- s:
	case <-ctx.Done():
		n.dropSlot(s)
	}
}

// drain stops the filler and gives up what it made.
func (n *Network) drain() {
	n.stop()
	n.filler.Wait()
	for {
		select {
		case s := <-n.warm:
			n.dropSlot(s)
		default:
			return
		}
	}
}

// nextSlot prefers one that is ready.
func (n *Network) nextSlot() (*slot, error) {
	select {
	case s := <-n.warm:
		return s, nil
	default:
		return n.buildSlot()
	}
}
