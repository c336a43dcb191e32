package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/store/etcd/etcdtest"
)

type note struct {
	Name string
	N    int
	Text string `json:",omitempty"`
}

var notes = store.Define(store.Def[note]{Name: "note", Version: 1, Key: func(n *note) string { return store.Installation().Key(n.Name) }})

func write(t *testing.T, s store.Store, name string, n int) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: name, N: n}); return nil }); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s store.Store) int {
	t.Helper()
	n := 0
	err := s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for range notes.List(tx, store.Installation().Prefix(), "") {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReopeningLoadsEveryPage(t *testing.T) {
	c := etcd.Config{Schema: store.Schema{notes}, DataDir: t.TempDir()}
	s := open(t, c)
	const commits = 45 // of 100: more than two pages of a load
	for i := range commits {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for j := range store.MaxWrites {
				notes.Put(tx, &note{Name: fmt.Sprintf("n%02d-%02d", i, j)})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	defer s.Close()
	if n := count(t, s); n != commits*store.MaxWrites {
		t.Fatalf("%d records after reopening", n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for want, c := range map[string]etcd.Config{
		"exactly one of DataDir and Endpoints": {},
		"exactly one of":                       {DataDir: "/x", Endpoints: []string{"y"}},
		"Name":                                 {DataDir: "/x", Name: "a/b"},
		"Socket":                               {DataDir: "/x", Socket: "relative"},
		"QuotaBytes":                           {DataDir: "/x", QuotaBytes: -1},
	} {
		if _, err := etcd.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

func TestNoSpaceIsShownAndNothingIsWritten(t *testing.T) {
	s := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: t.TempDir(), QuotaBytes: 2 << 20})
	defer s.Close()
	var err error
	acked := 0
	for err == nil && acked < 1000 {
		err = s.Update(t.Context(), func(tx store.Tx) error {
			notes.Put(tx, &note{Name: fmt.Sprint("n", acked), Text: strings.Repeat("x", 100_000)})
			return nil
		})
		if err == nil {
			acked++
		}
	}
	if !errors.Is(err, store.ErrNoSpace) {
		t.Fatalf("after %d writes: %v", acked, err)
	}
	if st, err := s.Status(t.Context()); err != nil || !st.NoSpace || st.QuotaBytes != 2<<20 || !st.Leader {
		t.Errorf("status %+v, %v", st, err)
	}
	// etcd looks at its size before a write and again when it applies it: the one that it runs full by may be there, though it says no.
	n := count(t, s)
	if n != acked && n != acked+1 {
		t.Errorf("%d acknowledged, %d stored", acked, n)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: "after"}); return nil }); !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("a write after that: %v", err)
	}
	if now := count(t, s); now != n {
		t.Errorf("%d are stored, before it were %d", now, n)
	}
}

func TestExternalLoadsAgainWhenHistoryIsGone(t *testing.T) {
	server := startExternal(t)
	s := open(t, etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{server.Endpoint()}})
	defer s.Close()
	for n := range 20 {
		write(t, s, "x", n)
		if err := server.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s); n != 1 {
		t.Errorf("%d records", n)
	}
	if st, err := s.Status(t.Context()); err != nil || st.Version == "" || st.NoSpace {
		t.Errorf("status %+v, %v", st, err)
	}
}

func TestExternalMayRestart(t *testing.T) {
	dir := socketDir(t)
	server, err := etcdtest.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{server.Endpoint()}})
	defer s.Close()
	write(t, s, "before", 1)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), store.Any, func(tx store.Tx) error { noteN(tx, "before"); return nil }); err != nil {
		t.Errorf("what this server has needs no etcd: %v", err)
	}
	if err := s.View(t.Context(), store.Fresh, func(store.Tx) error { return nil }); err == nil {
		t.Error("fresh without an etcd")
	}
	if server, err = etcdtest.Start(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	err = errors.New("not tried")
	for err != nil && t.Context().Err() == nil { // until the client has connected again
		err = s.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: "after", N: 1}); return nil })
	}
	if n := count(t, s); n != 2 {
		t.Errorf("%d records", n)
	}
}

func TestTheNextServerLeads(t *testing.T) {
	server := startExternal(t)
	c := etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{server.Endpoint()}}
	a, b := open(t, c), open(t, c)
	defer a.Close()
	defer b.Close()
	led := make(chan store.Store)
	lead := func(ctx context.Context, s store.Store) {
		_ = s.Lead(ctx, func(ctx context.Context, s store.Store) error {
			led <- s
			<-ctx.Done()
			return nil
		})
	}
	actx, stop := context.WithCancel(t.Context())
	go lead(actx, a)
	first := <-led
	bctx, stopB := context.WithCancel(t.Context())
	defer stopB()
	go lead(bctx, b)
	write(t, first, "by a", 1)
	stop()
	select {
	case second := <-led:
		write(t, second, "by b", 1)
	case <-time.After(5 * time.Second): // less than the lease: a resigned
		t.Fatal("nobody leads after the first resigned")
	}
	err := first.Update(t.Context(), func(tx store.Tx) error { notes.Put(tx, &note{Name: "by a", N: 2}); return nil })
	if !errors.Is(err, store.ErrNotLeader) {
		t.Errorf("the first leader still writes: %v", err)
	}
}

func TestEndpointsThatDoNotAnswer(t *testing.T) {
	server := startExternal(t)
	nobody := "http://127.0.0.1:1"
	_, err := etcd.Open(t.Context(), etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{nobody}})
	if !errors.Is(err, etcd.ErrUnreachable) || !strings.Contains(err.Error(), nobody) {
		t.Errorf("nobody answers: %v", err)
	}
	s := open(t, etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{nobody, server.Endpoint()}})
	defer s.Close()
	write(t, s, "by the other", 1)
}

func TestWhoLeadsOfThoseThatShare(t *testing.T) {
	server := startExternal(t)
	open := func(name string) *etcd.Store {
		s := open(t, etcd.Config{Schema: store.Schema{notes}, Endpoints: []string{server.Endpoint()}, Server: name})
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	a, b := open("a"), open("b")
	if got, err := b.Leader(t.Context()); got != "" || err != nil {
		t.Errorf("nobody leads, but %q %v", got, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	led := make(chan struct{})
	go func() {
		_ = a.Lead(ctx, func(ctx context.Context, _ store.Store) error { close(led); <-ctx.Done(); return nil })
	}()
	<-led
	if got, err := b.Leader(t.Context()); got != "a" || err != nil {
		t.Errorf("a leads, but %q %v", got, err)
	}
}
