package etcd_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// A member that was removed says so, while it runs and when it is started again.
func TestARemovedMemberSaysSo(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	openMember(t, dir, joining(certs.peer(t, "c"), a))
	p := certs.peer(t, "b")
	b := openMember(t, dir, joining(p, a))
	ended := make(chan error, 1)
	go func() {
		sub := b.Watch(t.Context(), notes.Name())
		defer sub.Close()
		for {
			if _, err := sub.Next(t.Context()); err != nil {
				ended <- err
				return
			}
		}
	}()
	if err := a.RemoveMember(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("while it runs: %v", err)
	}
	shut(t, b)
	p.Join = nil
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	again, err := etcd.Open(ctx, etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "b"), Peer: p})
	if err == nil {
		_ = again.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("started again: %v", err)
	}
}

// A server that was let in and never came can be removed by its address, and keeps no place from the next.
func TestAMemberThatNeverCame(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	before := names(t, a)
	for range 5 { // more than may join at once
		if _, err := a.AddMember(t.Context(), "late", "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
		if err := a.RemoveMember(t.Context(), "127.0.0.1:1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, a); got != before {
		t.Errorf("members %s", got)
	}
}

// One of two that is left says that nobody leads, and a change of its members ends when who asked does not wait any more.
func TestWithoutAMajority(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	b := openMember(t, dir, joining(certs.peer(t, "b"), a))
	if !a.Led() || !b.Led() {
		t.Error("nobody leads two that run")
	}
	shut(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := a.AddMember(ctx, "c", "127.0.0.1:1"); err == nil {
		t.Error("a member was added without a majority")
	}
	deadline := time.Now().Add(20 * time.Second)
	for a.Led() && time.Now().Before(deadline) {
		<-time.After(50 * time.Millisecond)
	}
	if a.Led() {
		t.Error("one of two leads")
	}
}
