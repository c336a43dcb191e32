package etcd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/store/etcd/etcdtest"
	"github.com/berth-ecs/berth/store/storetest"
)

// socketDir is short: a unix socket's path holds 107 bytes.
func socketDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "berth")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func open(tb testing.TB, c etcd.Config) *etcd.Store {
	tb.Helper()
	s, err := etcd.Open(context.Background(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// embeddedSpace is an embedded etcd; further servers reach it through its socket, as external ones.
type embeddedSpace struct {
	dir     string
	started bool
}

func (s *embeddedSpace) Server(tb testing.TB, schema store.Schema, o store.Options) store.Store {
	tb.Helper()
	c := etcd.Config{Schema: schema, Now: o.Now, NewID: o.NewID}
	socket := filepath.Join(s.dir, "s")
	if s.started {
		c.Endpoints = []string{"unix://" + socket}
	} else {
		s.started = true
		c.DataDir, c.Socket = filepath.Join(s.dir, "data"), socket
	}
	return open(tb, c)
}

func (s *embeddedSpace) Depose(tb testing.TB) {
	tb.Helper()
	depose(tb, "unix://"+filepath.Join(s.dir, "s"), "berth")
}

func depose(tb testing.TB, endpoint, name string) {
	tb.Helper()
	if err := etcdtest.Depose(tb.Context(), endpoint, name); err != nil {
		tb.Fatal(err)
	}
}

func TestConformanceEmbedded(t *testing.T) {
	storetest.Run(t, storetest.HarnessFunc(func(tb testing.TB) storetest.Space {
		return &embeddedSpace{dir: socketDir(tb)}
	}))
}

// externalSpace is one prefix of an etcd that all checks share, so revisions move by foreign keys.
type externalSpace struct {
	server *etcdtest.Server
	name   string
}

func (s *externalSpace) Server(tb testing.TB, schema store.Schema, o store.Options) store.Store {
	tb.Helper()
	return open(tb, etcd.Config{Schema: schema, Now: o.Now, NewID: o.NewID, Name: s.name, Endpoints: []string{s.server.Endpoint()}})
}

func (s *externalSpace) Depose(tb testing.TB) { depose(tb, s.server.Endpoint(), s.name) }

func startExternal(t *testing.T) *etcdtest.Server {
	t.Helper()
	server, err := etcdtest.Start(t.Context(), socketDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func TestConformanceExternal(t *testing.T) {
	server := startExternal(t)
	var n atomic.Int64
	storetest.Run(t, storetest.HarnessFunc(func(testing.TB) storetest.Space {
		return &externalSpace{server: server, name: fmt.Sprint("space", n.Add(1))}
	}))
}
