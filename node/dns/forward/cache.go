package forward

import (
	"container/list"
	"sync"
	"time"

	"github.com/berth-ecs/berth/node/dns/message"
)

// Entry is what is known of a question. It never changes.
type Entry struct {
	answer *message.Stored
	at     time.Time     // when it was said
	good   time.Duration // for how long
	stale  bool          // nobody said anything newer
}

const staleTTL = 30 * time.Second

// Answer is the stored answer.
func (e *Entry) Answer() *message.Stored { return e.answer }

// Append writes the answer as message.Stored's Append does, with times that are left now.
func (e *Entry) Append(b []byte, q *message.Query, limit int, now time.Time) []byte {
	passed := uint32(max(0, now.Sub(e.at)/time.Second))
	return e.answer.Append(b, q, limit, func(ttl uint32) uint32 {
		if e.stale {
			return uint32(staleTTL / time.Second)
		}
		return ttl - min(ttl, passed)
	})
}

// cache keeps entries, the longest unused go first.
type cache struct {
	entries, bytes int // at most

	mu    sync.Mutex
	byKey map[string]*list.Element // of *kept
	order *list.List               // the last used first
	size  int
}

type kept struct {
	key   string
	entry *Entry
	until time.Time // when it is asked again
}

func newCache(entries, bytes int) *cache {
	return &cache{entries: entries, bytes: bytes, byKey: map[string]*list.Element{}, order: list.New()}
}

// get answers what is known, and whether that is good still.
func (c *cache) get(key []byte, now time.Time) (*Entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byKey[string(key)]
	if el == nil {
		return nil, false
	}
	c.order.MoveToFront(el)
	k := el.Value.(*kept)
	return k.entry, now.Before(k.until)
}

func (c *cache) put(key string, e *Entry, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el := c.byKey[key]; el != nil {
		c.remove(el)
	}
	c.byKey[key] = c.order.PushFront(&kept{key, e, until})
	c.size += cost(key, e)
	for c.order.Len() > c.entries || c.size > c.bytes {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(el *list.Element) {
	k := c.order.Remove(el).(*kept)
	delete(c.byKey, k.key)
	c.size -= cost(k.key, k.entry)
}

// cost is about what an entry takes of memory.
func cost(key string, e *Entry) int {
	const overhead = 400
	return overhead + len(key) + e.answer.Len()
}
