package store

import (
	"bytes"
	"sync"
)

// ahead decodes what an Update is about to write while its commit is under way, so that the feed finds the row made. A
// row is made of the stored bytes either way: a record read back is never the pointer that was put.
type ahead struct {
	mu   sync.Mutex
	rows map[string]*aheadRow
}

type aheadRow struct {
	value []byte
	plain bool
	once  sync.Once
	row   *row
	err   error
}

func (r *aheadRow) make(c *core, key string) {
	r.once.Do(func() {
		if r.plain {
			r.row, r.err = c.decodePlain(r.value, key)
		} else {
			r.row, r.err = c.decode(KV{Value: r.value}, key)
		}
	})
}

// start begins to decode the writes of a transaction and answers what ends it.
func (a *ahead) start(l *layout, writes []Write) (end func()) {
	mine := make([]*aheadRow, 0, len(writes))
	keys := make([]string, 0, len(writes))
	a.mu.Lock()
	if a.rows == nil {
		a.rows = map[string]*aheadRow{}
	}
	for _, w := range writes {
		if w.Value != nil && a.rows[w.Key] == nil {
			r := &aheadRow{value: w.Value, plain: w.plain}
			a.rows[w.Key] = r
			mine, keys = append(mine, r), append(keys, w.Key)
		}
	}
	a.mu.Unlock()
	go func() {
		for i, r := range mine {
			if t, key, fence, ok := l.locate(keys[i]); ok && !fence {
				r.make(l.cores[t], key)
			}
		}
	}()
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, k := range keys {
			delete(a.rows, k)
		}
	}
}

// decode is core.decode, or its result if it was made ahead of exactly these bytes.
func (a *ahead) decode(c *core, kv KV, key string) (*row, error) {
	a.mu.Lock()
	r := a.rows[kv.Key]
	a.mu.Unlock()
	if r == nil || !bytes.Equal(r.value, kv.Value) {
		return c.decode(kv, key)
	}
	r.make(c, key)
	if r.err != nil {
		return c.decode(kv, key) // for an error that names the revision
	}
	made := *r.row
	made.mod = kv.Mod
	return &made, nil
}
