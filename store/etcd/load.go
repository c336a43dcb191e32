package etcd

import (
	"context"
	"fmt"
	"iter"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/berth-ecs/berth/store"
)

const loadPage = 2000

// rangeEnd is the end of every key below prefix; an empty prefix is every key.
func (k keyspace) rangeOf() (key, end []byte) {
	if k.prefix == "" {
		return []byte{0}, []byte{0}
	}
	end = []byte(k.prefix)
	end[len(end)-1]++ // the prefix ends in "/"
	return []byte(k.prefix), end
}

// revision is a linearizable read of etcd's revision.
func (k keyspace) revision(ctx context.Context) (int64, error) {
	key, _ := k.rangeOf()
	resp, err := k.kv.Range(ctx, &pb.RangeRequest{Key: key, CountOnly: true})
	if err != nil {
		return 0, err
	}
	return resp.Header.Revision, nil
}

// load yields every key as it was at revision, a page at a time.
func (k keyspace) load(ctx context.Context, revision int64) iter.Seq2[store.KV, error] {
	key, end := k.rangeOf()
	return func(yield func(store.KV, error) bool) {
		for {
			resp, err := k.kv.Range(ctx, &pb.RangeRequest{Key: key, RangeEnd: end, Revision: revision, Limit: loadPage})
			if err != nil {
				yield(store.KV{}, fmt.Errorf("etcd: load: %w", err))
				return
			}
			for _, e := range resp.Kvs {
				if !yield(k.fromEtcd(e, e.ModRevision), nil) {
					return
				}
			}
			if !resp.More {
				return
			}
			key = append(resp.Kvs[len(resp.Kvs)-1].Key, 0)
		}
	}
}

func (k keyspace) fromEtcd(e *mvccpb.KeyValue, mod int64) store.KV {
	value := e.Value
	if value == nil {
		value = []byte{} // nil would say deleted
	}
	return store.KV{Key: strings.TrimPrefix(string(e.Key), k.prefix), Value: value, Mod: mod}
}

// events translates one response of a watch and answers the revision it is complete up to.
func (k keyspace) events(in []*mvccpb.Event) (int64, []store.KV) {
	out := make([]store.KV, len(in))
	for i, ev := range in {
		out[i] = k.fromEtcd(ev.Kv, ev.Kv.ModRevision)
		if ev.Type == mvccpb.Event_DELETE {
			out[i].Value = nil
		}
	}
	return in[len(in)-1].Kv.ModRevision, out
}
