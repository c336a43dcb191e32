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

// prefixOf is where an installation's keys are, embedded or not: a copy of an embedded etcd is a valid external one.
func prefixOf(c Config) string { return everybody + c.Name + "/" }

// everybody is where the keys of all installations are.
const everybody = "/berth/"

// adopt finds the records of an embedded etcd, whatever they are called: they are of the server that was the first, or whose backup it was, and
// names are each machine's own. An etcd that is embedded keeps one installation's. Without any, those to come are of this name.
func (b *embedded) adopt(ctx context.Context) error {
	rev, err := b.Revision(ctx)
	if err != nil {
		return fmt.Errorf("etcd: find the records: %w", err)
	}
	for _, prefix := range []string{b.prefix, everybody} {
		key, end := keyspace{prefix: prefix}.rangeOf()
		resp, err := b.kv.Range(ctx, &pb.RangeRequest{Key: key, RangeEnd: end, Revision: rev, Limit: 1, KeysOnly: true})
		if err != nil {
			return fmt.Errorf("etcd: find the records: %w", err)
		}
		if len(resp.Kvs) > 0 {
			name, _, _ := strings.Cut(strings.TrimPrefix(string(resp.Kvs[0].Key), everybody), "/")
			b.prefix = everybody + name + "/"
			return nil
		}
	}
	return nil
}

// rangeOf is the range of every key below the prefix, which ends in "/".
func (k keyspace) rangeOf() (key, end []byte) {
	end = []byte(k.prefix)
	end[len(end)-1]++
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

// fromEtcd answers an empty key for one that is not below the prefix.
func (k keyspace) fromEtcd(e *mvccpb.KeyValue, mod int64) store.KV {
	value := e.Value
	if value == nil {
		value = []byte{} // nil would say deleted
	}
	key, ok := strings.CutPrefix(string(e.Key), k.prefix)
	if !ok {
		key = ""
	}
	return store.KV{Key: key, Value: value, Mod: mod}
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
