package histories

import (
	"context"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/berth-ecs/berth/cmd/berth/region"
	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/store/etcd/etcdtest"
	"github.com/berth-ecs/berth/store/mem"
)

// servers is how many a region has.
const servers = 3

const (
	accessKey = "AKIATESTTESTTESTTEST"
	secretKey = "test-secret-key-test-secret-key-test-sec"
)

// stores opens the stores of a region's servers: one key space, and a view of it for each.
type stores func(t *testing.T) []store.Store

// inMemory is a key space of which every server learns late, each at its own pace. What goes to it goes through backend, if that is not nil.
func inMemory(backend func(store.Backend) store.Backend) stores {
	return func(t *testing.T) []store.Store {
		t.Helper()
		late := mem.Options{Backend: backend, Sink: func(s store.Sink) store.Sink {
			l := newLate(s)
			t.Cleanup(l.stop)
			return l
		}}
		first := mem.Open(region.Schema(), late)
		out := []store.Store{first}
		for len(out) < servers {
			out = append(out, first.Join(region.Schema(), late))
		}
		return out
	}
}

// inEtcd is an etcd that the servers share.
func inEtcd(t *testing.T) []store.Store {
	t.Helper()
	e, err := etcdtest.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	var out []store.Store
	for range servers {
		s, err := etcd.Open(t.Context(), etcd.Config{Schema: region.Schema(), Endpoints: []string{e.Endpoint()}})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// late delivers a feed in its order, each commit some milliseconds after it happened.
type late struct {
	store.Sink
	queue chan func()
	done  chan struct{}
	once  sync.Once
}

const mostLate = 6 * time.Millisecond

func newLate(s store.Sink) *late {
	l := &late{Sink: s, queue: make(chan func(), 1<<16), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for deliver := range l.queue {
			<-time.After(time.Duration(rand.Int64N(int64(mostLate))))
			deliver()
		}
	}()
	return l
}

// Reset implements store.Sink. The feed begins with it: nothing is under way.
func (l *late) Reset(revision int64, kvs iter.Seq2[store.KV, error]) error {
	return l.Sink.Reset(revision, kvs)
}

// Apply implements store.Sink.
func (l *late) Apply(revision int64, events []store.KV) error {
	l.queue <- func() {
		if err := l.Sink.Apply(revision, events); err != nil {
			l.Fail(err)
		}
	}
	return nil
}

func (l *late) stop() {
	l.once.Do(func() { close(l.queue) })
	<-l.done
}

// world is a region of three servers.
type world struct {
	*testing.T
	clients  []*ecs.Client // one for each server
	named    atomic.Int64  // histories
	patience time.Duration // for one call, after which nobody knows; 0: every call is answered
}

// newWorld starts a region. Each server's store is changed by wrap, if that is not nil.
func newWorld(t *testing.T, open stores, wrap func(store.Store) store.Store) *world {
	t.Helper()
	w := &world{T: t}
	for _, s := range open(t) {
		t.Cleanup(func() { _ = s.Close() })
		if wrap != nil {
			s = wrap(s)
		}
		w.serve(s)
	}
	return w
}

// serve starts a server and waits until it answers.
func (w *world) serve(s store.Store) {
	w.Helper()
	listen := freePort(w.T)
	settings, err := config.Load(config.Layers{Flags: []config.Value{
		{Key: "listen", Text: listen}, {Key: "data-dir", Text: w.TempDir()}, {Key: "access-key", Text: accessKey}, {Key: "secret-key", Text: secretKey},
	}})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan error, 1)
	go func() {
		done <- region.RunOn(ctx, region.Config{Settings: settings, Ready: &ready.State{}, Log: slog.New(slog.DiscardHandler)}, s)
	}()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
	w.clients = append(w.clients, ecs.New(ecs.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://" + listen), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")}))
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !answers(w.Context(), listen) {
		select {
		case err := <-done:
			w.Fatalf("the server ended: %v", err)
		case <-w.Context().Done():
			w.Fatal("the server does not answer")
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, listen string) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/_berth/health", nil)
	if err != nil {
		return false
	}
	r, err := http.DefaultClient.Do(q)
	return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusOK
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
