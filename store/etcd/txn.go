package etcd

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/berth-ecs/berth/store"
)

// kv is the part of etcd's API that transactions and loads need; embedded it is a direct call, else a connection.
type kv interface {
	Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error)
	Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error)
}

// keyspace maps the store's keys into etcd's below a prefix.
type keyspace struct {
	kv     kv
	prefix string
}

// commit is store.Backend's Commit.
func (k keyspace) commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	resp, err := k.kv.Txn(ctx, k.request(t))
	if err != nil {
		return 0, false, classify(err)
	}
	if resp.Succeeded {
		return resp.Header.Revision, true, nil
	}
	if t.Leader != nil {
		kvs := resp.Responses[0].GetResponseRange().GetKvs()
		if len(kvs) == 0 || kvs[0].ModRevision != t.Leader.Mod {
			return 0, false, store.ErrNotLeader
		}
	}
	return resp.Header.Revision, false, nil
}

func (k keyspace) request(t store.Txn) *pb.TxnRequest {
	r := &pb.TxnRequest{
		Compare: make([]*pb.Compare, 0, len(t.Guards)+1),
		Success: make([]*pb.RequestOp, 0, len(t.Writes)),
	}
	if t.Leader != nil {
		key := []byte(k.prefix + t.Leader.Key)
		r.Compare = append(r.Compare, compareMod(key, t.Leader.Mod))
		get := &pb.RangeRequest{Key: key, KeysOnly: true}
		r.Failure = []*pb.RequestOp{{Request: &pb.RequestOp_RequestRange{RequestRange: get}}}
	}
	for _, g := range t.Guards {
		r.Compare = append(r.Compare, compareMod([]byte(k.prefix+g.Key), g.Mod))
	}
	for _, w := range t.Writes {
		r.Success = append(r.Success, writeOp([]byte(k.prefix+w.Key), w.Value))
	}
	return r
}

func compareMod(key []byte, mod int64) *pb.Compare {
	return &pb.Compare{
		Key: key, Target: pb.Compare_MOD, Result: pb.Compare_EQUAL,
		TargetUnion: &pb.Compare_ModRevision{ModRevision: mod},
	}
}

func writeOp(key, value []byte) *pb.RequestOp {
	if value == nil {
		return &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: key}}}
	}
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Value: value}}}
}

// classify tells errors that mean "nothing was written" from those that leave it open.
func classify(err error) error {
	known := rpctypes.Error(err)
	switch {
	case errors.Is(known, rpctypes.ErrNoSpace):
		return fmt.Errorf("%w: %w", store.ErrNoSpace, err)
	case errors.Is(known, rpctypes.ErrNoLeader), errors.Is(known, rpctypes.ErrTooManyRequests),
		errors.Is(known, rpctypes.ErrRequestTooLarge), errors.Is(known, rpctypes.ErrTooManyOps),
		errors.Is(known, rpctypes.ErrPermissionDenied):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUncertain, err)
}
