package etcd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"

	"github.com/berth-ecs/berth/store"
)

// embedded is the Backend over an etcd in this process.
type embedded struct {
	keyspace
	conf    Config
	sink    store.Sink
	etcd    *embed.Etcd
	lock    *os.File
	server  *etcdserver.EtcdServer
	startID string // tells this process from every other that led
	keeper  keeper

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func openEmbedded(ctx context.Context, c Config, sink store.Sink) (backend, error) {
	ec, err := EmbedConfig(c)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(c.DataDir)
	if err != nil {
		return nil, err
	}
	started, err := start(ctx, c, ec)
	if err != nil {
		lock.Close()
		return nil, err
	}
	b := &embedded{lock: lock, conf: c, sink: sink, etcd: started, server: started.Server, startID: randomID()}
	b.keyspace = keyspace{kv: v3rpc.NewQuotaKVServer(started.Server), prefix: prefixOf(c)}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.begin(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func start(ctx context.Context, c Config, ec *embed.Config) (*embed.Etcd, error) {
	if c.Peer != nil {
		if err := c.Peer.check(); err != nil {
			return nil, err
		}
		if err := c.Peer.join(ctx, ec); err != nil {
			return nil, err
		}
	}
	started, err := embed.StartEtcd(ec)
	if err != nil {
		return nil, fmt.Errorf("etcd: start in %s: %w", c.DataDir, err)
	}
	return started, nil
}

// begin waits for the server, loads the snapshot and starts the feed.
func (b *embedded) begin(ctx context.Context) error {
	select {
	case <-b.server.ReadyNotify():
	case <-b.server.StopNotify():
		return b.stopped(errors.New("etcd: stopped while starting"))
	case err := <-b.etcd.Err():
		return fmt.Errorf("etcd: %w", err)
	case <-ctx.Done():
		return fmt.Errorf("etcd: start: %w", context.Cause(ctx))
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	if err := b.adopt(ctx); err != nil {
		return err
	}
	f := &localFeed{b: b}
	if err := f.reset(ctx); err != nil {
		return err
	}
	if err := b.reserve(); err != nil {
		return err
	}
	b.wg.Go(func() { f.run(b.ctx) })
	b.wg.Go(func() { b.keep(b.ctx) })
	return nil
}

// A leader that is gone is missed after one to two election timeouts. A single member may take as long to elect itself, and nobody waits for
// its heartbeats.
const (
	tickMillis     = 100
	electionMillis = 500
)

// EmbedConfig is how this package configures an embedded etcd; exported for programs that compare with a bare one.
func EmbedConfig(c Config) (*embed.Config, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	ec := embed.NewConfig()
	ec.Name = c.Name
	ec.Dir = c.DataDir
	ec.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zapTo(c.Log.With("component", "etcd")))
	ec.ListenPeerUrls, ec.ListenClientUrls = nil, nil
	ec.AdvertiseClientUrls = nil
	if c.Socket != "" {
		if err := os.Remove(c.Socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("etcd: Socket: %w", err)
		}
		u := url.URL{Scheme: "unix", Path: c.Socket}
		ec.ListenClientUrls, ec.AdvertiseClientUrls = []url.URL{u}, []url.URL{u}
	}
	ec.InitialCluster = ec.InitialClusterFromName(ec.Name)
	if c.Peer != nil {
		c.Peer.configure(ec)
	}
	ec.TickMs, ec.ElectionMs = tickMillis, electionMillis
	ec.MaxTxnOps = 512
	ec.QuotaBackendBytes = c.QuotaBytes
	ec.AutoCompactionRetention = "0" // the keeper compacts
	ec.SnapshotCount = 5000          // raft entries kept in memory; no follower needs many
	ec.SnapshotCatchUpEntries = 500  // as above
	ec.MaxSnapFiles, ec.MaxWalFiles = 2, 2
	ec.BackendFreelistType = "map"
	ec.EnableGRPCGateway = false
	ec.Metrics = "basic"
	return ec, nil
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

// Commit implements store.Backend.
func (b *embedded) Commit(ctx context.Context, t store.Txn) (int64, bool, error) {
	if b.conf.Peer == nil {
		return b.commit(ctx, t)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := b.server.LeaderChangedNotify()
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		select {
		case <-ctx.Done():
		case <-time.After(inheritance):
			cancel()
		}
	}()
	return b.commit(ctx, t)
}

// inheritance is how long a new leader has to commit what the one before it left. A proposal that was on its way to a leader that died is lost, and
// etcd would wait for it six seconds; that it may have been written is what its caller hears.
const inheritance = 300 * time.Millisecond

// Revision implements store.Backend. Whatever is written to a single member is written through it: etcd acknowledges a write after it was
// applied here, so what is applied here holds everything that was acknowledged, and nobody else needs to be asked. One of several
// asks the leader, once for all who wait. The feed watches every key, so it reaches any revision by itself.
func (b *embedded) Revision(ctx context.Context) (int64, error) {
	select {
	case <-b.server.StopNotify():
		return 0, errStopped
	default:
	}
	if b.conf.Peer != nil {
		if err := b.askLeader(ctx); err != nil {
			return 0, fmt.Errorf("etcd: ask the leader: %w", err)
		}
	}
	return b.server.KV().Rev(), nil
}

// electionPatience is how long a read waits for the next leader.
const electionPatience = 5 * time.Second

// askLeader returns when this member has applied what was acknowledged anywhere before. A leader that goes meanwhile costs time only:
// asking has no effect, so the next one is asked.
func (b *embedded) askLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, electionPatience)
	defer cancel()
	return again(ctx, func() error { return b.server.LinearizableReadNotify(ctx) })
}

var errStopped = errors.New("etcd: stopped")

// Close implements store.Backend.
func (b *embedded) Close() error {
	b.cancel()
	b.wg.Wait()
	b.etcd.Close()
	return b.lock.Close()
}

func (b *embedded) status(context.Context) (Status, error) {
	be := b.server.Backend()
	s := Status{
		Version: version.Version, Revision: b.server.KV().Rev(),
		SizeBytes: be.Size(), InUseBytes: be.SizeInUse(), QuotaBytes: b.conf.QuotaBytes,
		NoSpace: b.noSpace(), Leader: b.leads(), LastProblem: b.keeper.problem(),
	}
	return s, nil
}
