package feed_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/berth-ecs/berth/mesh/feed"
	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
)

// thing is a record of the double of a wing: a part of one node that has a certificate, or has not.
type thing struct{ Name, Secret string }

// sealed is a record of the double of the wing of certificates.
type sealed struct{ Name, Key string }

var (
	things = store.Define(store.Def[thing]{Name: "test.thing", Version: 1, Key: func(r *thing) string { return r.Name }})
	keys   = store.Define(store.Def[sealed]{Name: "test.key", Version: 1, Key: func(r *sealed) string { return r.Name }})
)

var node = server.Node{Account: "0", Region: "r", Name: "n1"}

type wing struct{ uses map[string]int }

func (*wing) Tables() []string { return []string{things.Name()} }

func (w *wing) Load(tx store.Tx) feed.News {
	w.uses = map[string]int{}
	var changes []store.Change
	for _, r := range things.List(tx, "", "") {
		changes = append(changes, store.Change{Table: things.Name(), New: r})
	}
	return w.Follow(tx, changes)
}

func (w *wing) Follow(_ store.Tx, changes []store.Change) (n feed.News) {
	for _, c := range changes {
		old, now, _ := things.Of(c)
		if now != nil {
			n.Parts = append(n.Parts, server.NodePart{Node: node, Part: proxyconf.Part{Name: now.Name}})
			if w.uses[now.Secret]++; w.uses[now.Secret] == 1 {
				n.Secrets = append(n.Secrets, now.Secret)
			}
		} else {
			n.PartsGone = append(n.PartsGone, server.PartKey{Node: node, Part: old.Name})
		}
		if old != nil {
			if w.uses[old.Secret]--; w.uses[old.Secret] == 0 {
				n.SecretsGone = append(n.SecretsGone, old.Secret)
			}
		}
	}
	return n
}

type vault struct{}

func (vault) Tables() []string { return []string{keys.Name()} }

func (vault) Of(c store.Change) string {
	if old, now, _ := keys.Of(c); now != nil {
		return now.Name
	} else if old != nil {
		return old.Name
	}
	return ""
}

func (vault) Secret(tx store.Tx, name string) (chain, key []byte, err error) {
	r, ok := keys.Peek(tx, name)
	if !ok {
		return nil, nil, errors.New("there is none")
	}
	return []byte("chain of " + name), []byte(r.Key), nil
}

// book notes what it is told.
type book struct {
	told []server.News
	err  error
}

func (b *book) Tell(n server.News) error {
	b.told = append(b.told, n)
	return b.err
}

// take is what was told since the last time, in words.
func (b *book) take() []string {
	var out []string
	for _, n := range b.told {
		for _, p := range n.Parts {
			out = append(out, "+"+p.Part.Name)
		}
		for _, p := range n.PartsGone {
			out = append(out, "-"+p.Part)
		}
		for _, s := range n.Secrets {
			out = append(out, s.Name+"="+string(s.Key))
		}
		for _, s := range n.SecretsGone {
			out = append(out, "-"+s)
		}
		for _, s := range n.SecretsKept {
			out = append(out, "~"+s)
		}
		if n.Whole {
			out = append(out, "whole")
		}
	}
	b.told = nil
	slices.Sort(out)
	return out
}

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mem.Open(store.Schema{things, keys}, mem.Options{})
		var log strings.Builder
		b := &book{}
		f := feed.New(feed.Config{Store: s, Wing: &wing{}, Secrets: vault{}, Book: b, Log: slog.New(slog.NewTextHandler(&log, nil))})
		update := func(fn func(store.Tx)) {
			t.Helper()
			if err := s.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		put := func(name, secret string) func(store.Tx) {
			return func(tx store.Tx) { things.Put(tx, &thing{name, secret}) }
		}
		key := func(name, text string) func(store.Tx) {
			return func(tx store.Tx) { keys.Put(tx, &sealed{name, text}) }
		}
		update(put("a", "c1"))
		update(key("c1", "KEY-1"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		synctest.Wait()
		expect := func(what string, want ...string) {
			t.Helper()
			if got := b.take(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: told %q, want %q", what, got, want)
			}
		}
		expect("at first", "+a", "c1=KEY-1", "whole")
		update(put("b", "c1"))
		expect("a part with a certificate that is known", "+b")
		update(key("c1", "KEY-2"))
		expect("a certificate that is renewed", "c1=KEY-2")
		update(key("c2", "KEY-3"))
		expect("a certificate that nobody needs")
		update(func(tx store.Tx) { put("c", "c3")(tx); key("c3", "KEY-4")(tx) })
		expect("a part and its certificate in one commit", "+c", "c3=KEY-4")
		update(put("d", "c4"))
		expect("a certificate that is not there", "+d", "~c4")
		update(key("c4", "KEY-5"))
		expect("it comes later", "c4=KEY-5")
		b.err = errors.New("one part is wrong")
		update(put("c", "c2"))
		expect("another certificate", "+c", "-c3", "c2=KEY-3")
		update(key("c3", "KEY-6"))
		expect("one that nobody needs any more")
		update(func(tx store.Tx) { things.Delete(tx, "c") })
		expect("a part goes", "-c", "-c2")
		if text := log.String(); !strings.Contains(text, "c4") || !strings.Contains(text, "one part is wrong") || strings.Contains(text, "KEY") {
			t.Errorf("the log says:\n%s", text)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := feed.New(f.Config).Run(t.Context()); err == nil {
			t.Error("a feed of a store that is closed ends in silence")
		}
	})
}
