package mem

import (
	"iter"
	"sync"

	"github.com/berth-ecs/berth/store"
)

// space is the key space that servers share. The order of its lock is the order of revisions and of every feed.
type space struct {
	mu       sync.Mutex
	revision int64
	kvs      map[string]store.KV
	servers  map[*server]bool
	leading  chan struct{} // holds one token: who has it leads
}

func newSpace() *space {
	sp := &space{revision: 1, kvs: map[string]store.KV{}, servers: map[*server]bool{}, leading: make(chan struct{}, 1)}
	sp.leading <- struct{}{}
	return sp
}

// attach gives a server everything there is, and from then on every commit.
func (sp *space) attach(s *server) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	sp.servers[s] = true
	return s.sink.Reset(sp.revision, sp.all())
}

func (sp *space) all() iter.Seq2[store.KV, error] {
	return func(yield func(store.KV, error) bool) {
		for _, kv := range sp.kvs {
			if !yield(kv, nil) {
				return
			}
		}
	}
}

func (sp *space) holds(g store.Guard) bool { return sp.kvs[g.Key].Mod == g.Mod }

// commit is called with the lock held.
func (sp *space) commit(writes []store.Write) []store.KV {
	sp.revision++
	var events []store.KV
	for _, w := range writes {
		kv := store.KV{Key: w.Key, Value: w.Value, Mod: sp.revision}
		if w.Value == nil {
			if _, ok := sp.kvs[w.Key]; !ok {
				continue
			}
			delete(sp.kvs, w.Key)
		} else {
			sp.kvs[w.Key] = kv
		}
		events = append(events, kv)
	}
	return events
}

// deliver is called with the lock held.
func (sp *space) deliver(events []store.KV) {
	for s := range sp.servers {
		s.receive(delivery{sp.revision, events})
	}
}
