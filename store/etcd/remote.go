package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-semver/semver"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/berth-ecs/berth/store"
)

// remote is the Backend over an etcd reached by its endpoints.
type remote struct {
	keyspace
	conf   Config
	sink   store.Sink
	client *clientv3.Client
	feed   *remoteFeed

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var oldest = semver.Version{Major: 3, Minor: 5, Patch: 13}

func dial(c Config) (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints, TLS: c.TLS, Username: c.Username, Password: c.Password,
		DialTimeout: 5 * time.Second, DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 5 * time.Second,
		Logger: zapTo(c.Log.With("component", "etcd")),
	})
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return client, nil
}

// Probe asks an existing etcd how it is, and opens nothing.
func Probe(ctx context.Context, c Config) (Status, error) {
	if err := c.complete(); err != nil {
		return Status{}, err
	}
	client, err := dial(c)
	if err != nil {
		return Status{}, err
	}
	defer func() { _ = client.Close() }() // nothing is written by it
	b := &remote{conf: c, client: client}
	if err := b.checkVersions(ctx); err != nil {
		return Status{}, err
	}
	return b.status(ctx)
}

func openRemote(ctx context.Context, c Config, sink store.Sink) (backend, error) {
	client, err := dial(c)
	if err != nil {
		return nil, err
	}
	b := &remote{conf: c, sink: sink, client: client}
	b.keyspace = keyspace{kv: dialled{pb.NewKVClient(client.ActiveConnection())}, prefix: prefixOf(c)}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.begin(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *remote) begin(ctx context.Context) error {
	if err := b.checkVersions(ctx); err != nil {
		return err
	}
	b.feed = &remoteFeed{b: b}
	if err := b.feed.reset(ctx); err != nil {
		return err
	}
	b.wg.Go(func() { b.feed.run(b.ctx) })
	return nil
}

// endpointPatience is how long one endpoint has to say its version.
const endpointPatience = 3 * time.Second

// ErrUnreachable is answered when no endpoint is: for what reason each has its own.
var ErrUnreachable = errors.New("etcd: no endpoint answers")

// checkVersions asks all endpoints at once. One that does not answer may be the one that is down just now; one that is too old is refused.
func (b *remote) checkVersions(ctx context.Context) error {
	silent, old := make([]error, len(b.conf.Endpoints)), make([]error, len(b.conf.Endpoints))
	var wg sync.WaitGroup
	for i, ep := range b.conf.Endpoints {
		wg.Go(func() {
			st, err := b.statusAt(ctx, ep)
			if err != nil {
				silent[i] = fmt.Errorf("%s: %w", ep, err)
				return
			}
			old[i] = versionAllowed(ep, st.Version)
		})
	}
	wg.Wait()
	if err := errors.Join(old...); err != nil {
		return err
	}
	if slices.Contains(silent, nil) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, errors.Join(silent...))
}

func versionAllowed(endpoint, version string) error {
	v, err := semver.NewVersion(version)
	if err != nil {
		return fmt.Errorf("etcd: endpoint %s: version %q: %w", endpoint, version, err)
	}
	if v.LessThan(oldest) {
		return fmt.Errorf("etcd: endpoint %s has version %s; at least %s is needed: earlier progress notifications could run ahead of events",
			endpoint, v, oldest)
	}
	return nil
}

// dialled makes the generated client a kv.
type dialled struct {
	c pb.KVClient
}

// The server's cap is 1.5 MiB a request, but a page of a load may answer more.
var maxAnswer = grpc.MaxCallRecvMsgSize(256 << 20)

func (d dialled) Txn(ctx context.Context, r *pb.TxnRequest) (*pb.TxnResponse, error) {
	return d.c.Txn(ctx, r, maxAnswer)
}

func (d dialled) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	return d.c.Range(ctx, r, maxAnswer)
}

// Commit implements store.Backend. The revision of a commit that did not pass, or that deleted what was gone already,
// may be a foreign one.
func (b *remote) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	rev, ok, err := b.commit(ctx, t)
	b.feed.want(rev, !ok)
	return rev, ok, err
}

// Revision implements store.Backend. Others write to this etcd too, so the feed may have no event to reach the revision
// by: it asks for a progress notification.
func (b *remote) Revision(ctx context.Context) (int64, error) {
	rev, err := b.revision(ctx)
	if err != nil {
		return 0, err
	}
	b.feed.want(rev, true)
	return rev, nil
}

// Close implements store.Backend.
func (b *remote) Close() error {
	b.cancel()
	b.wg.Wait()
	return b.client.Close()
}

func (b *remote) statusAt(ctx context.Context, endpoint string) (*clientv3.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, endpointPatience)
	defer cancel()
	if err := b.knock(ctx, endpoint); err != nil {
		return nil, err
	}
	return b.client.Status(ctx, endpoint)
}

func (b *remote) status(ctx context.Context) (Status, error) {
	var last error
	for _, ep := range b.conf.Endpoints {
		st, err := b.statusAt(ctx, ep)
		if err != nil {
			last = err
			continue
		}
		s := Status{Version: st.Version, Revision: st.Header.Revision, SizeBytes: st.DbSize, InUseBytes: st.DbSizeInUse}
		alarms, err := b.client.AlarmList(ctx)
		if err != nil {
			return Status{}, err
		}
		for _, a := range alarms.Alarms {
			s.NoSpace = s.NoSpace || a.Alarm == pb.AlarmType_NOSPACE
		}
		return s, nil
	}
	return Status{}, last
}
