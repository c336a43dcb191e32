package network

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// maxElements per message: an attribute holds 64 KiB and an element with its comment takes up to 400 bytes.
const maxElements = 128

// change adds elements to a set or removes them.
type change struct {
	set    *nftables.Set
	elems  []nftables.SetElement
	remove bool
}

// transactor turns changes asked for at the same time into one nftables transaction: the kernel commits one after the
// other anyway, and each commit costs the same however much is in it.
type transactor struct {
	mu      sync.Mutex
	waiting []*transaction
	leading bool
}

type transaction struct {
	changes []change
	done    chan error
}

// apply returns when the changes are in force. A transaction is all or nothing.
func (t *transactor) apply(changes ...change) error {
	tx := &transaction{changes, make(chan error, 1)}
	t.mu.Lock()
	t.waiting = append(t.waiting, tx)
	if !t.leading {
		t.leading = true
		t.lead()
	}
	t.mu.Unlock()
	return <-tx.done
}

// lead commits until nobody waits. It is entered and left with the lock held.
func (t *transactor) lead() {
	for len(t.waiting) > 0 {
		batch := t.waiting
		t.waiting = nil
		t.mu.Unlock()
		commitAll(batch)
		t.mu.Lock()
	}
	t.leading = false
}

// commitAll tries everything at once; if that fails, each on its own, so that one bad change harms no other.
func commitAll(batch []*transaction) {
	var all []change
	for _, tx := range batch {
		all = append(all, tx.changes...)
	}
	err := commit(all)
	for _, tx := range batch {
		if err != nil && len(batch) > 1 {
			tx.done <- commit(tx.changes)
			continue
		}
		tx.done <- err
	}
}

func commit(changes []change) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("network: nftables: %w", err)
	}
	for _, c := range changes {
		for part := range slices.Chunk(c.elems, maxElements) {
			if c.remove {
				err = conn.SetDeleteElements(c.set, keysOnly(part))
			} else {
				err = conn.SetAddElements(c.set, part)
			}
			if err != nil {
				return fmt.Errorf("network: nftables set %s: %w", c.set.Name, err)
			}
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("network: nftables transaction: %w", err)
	}
	return nil
}

// discard removes elements of which some may be gone already.
func (t *transactor) discard(changes ...change) error {
	for i := range changes {
		changes[i].remove = true
	}
	err := t.apply(changes...)
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	var left error
	for _, c := range changes {
		for _, e := range c.elems {
			one := change{c.set, []nftables.SetElement{e}, true}
			if err := t.apply(one); err != nil && !errors.Is(err, unix.ENOENT) {
				left = errors.Join(left, err)
			}
		}
	}
	return left
}
