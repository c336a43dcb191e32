package etcd

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/store"
)

type blob struct {
	ID, Text string
}

// Once records are deleted, housekeeping makes a full store writable again.
func TestAFullStoreRecovers(t *testing.T) {
	blobs := store.Define(store.Def[blob]{Name: "blob", Version: 1, Key: func(b *blob) string { return store.Installation().Key(b.ID) }})
	var b *embedded
	s, err := store.Open(store.Schema{blobs}, store.Options{}, func(sink store.Sink) (store.Backend, error) {
		c := Config{DataDir: t.TempDir(), QuotaBytes: 4 << 20}
		if err := c.complete(); err != nil {
			return nil, err
		}
		back, err := openEmbedded(t.Context(), c, sink)
		b, _ = back.(*embedded)
		return back, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := func(n int) error {
		return s.Update(t.Context(), func(tx store.Tx) error {
			blobs.Put(tx, &blob{ID: strconv.Itoa(n), Text: strings.Repeat("x", 200_000)})
			return nil
		})
	}
	n := 0
	for err == nil && n < 100 {
		err = put(n)
		n++
	}
	if !errors.Is(err, store.ErrNoSpace) {
		t.Fatalf("after %d writes: %v", n, err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error {
		for key := range blobs.List(tx, "", "") {
			blobs.Delete(tx, key)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("deleting from a full store: %v", err)
	}
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, err := b.status(context.Background()); err != nil || st.NoSpace {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := put(0); err != nil {
		t.Errorf("after tidying: %v", err)
	}
}

func TestCompactionTargets(t *testing.T) {
	for name, c := range map[string]struct{ minutes, want []int64 }{
		"keeps five minutes":          {[]int64{10, 20, 30, 40, 50, 60, 70}, []int64{0, 0, 0, 0, 0, 10, 20}},
		"idle compacts nothing twice": {[]int64{10, 10, 10, 10, 10, 10, 10, 10}, []int64{0, 0, 0, 0, 0, 10, 0, 0}},
		"a burst is bounded":          {[]int64{10, keepAtMost + 100, keepAtMost + 150}, []int64{0, 100, 150}},
	} {
		var k keeper
		var got []int64
		for _, r := range c.minutes {
			got = append(got, k.target(r))
			for range markEvery - 1 {
				if at := k.target(r); at != 0 {
					t.Errorf("%s: compacts at %d between minutes", name, at)
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestABurstIsCompactedBetweenMinutes(t *testing.T) {
	k := keeper{}
	k.target(1)
	if at := k.target(keepAtMost + burstStep + 1); at != burstStep+1 {
		t.Errorf("compacts at %d", at)
	}
	if at := k.target(keepAtMost + burstStep + 100); at != 0 {
		t.Errorf("compacts again at %d", at)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	for version, ok := range map[string]bool{
		"3.5.13": true, "3.5.12": false, "3.4.40": false, "3.6.0": true, "3.7.3": true, "4.0.0": true, "": false, "main": false,
	} {
		if err := versionAllowed("e", version); (err == nil) != ok {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

// At any moment at most one of several members may defragment, and each has its turn.
func TestMembersDefragmentOneAtATime(t *testing.T) {
	began := map[int]bool{}
	for at := time.Unix(1_700_000_000, 0); len(began) < 3; at = at.Add(time.Second) {
		if at.After(time.Unix(1_700_000_000, 0).Add(3 * turnTime)) {
			t.Fatalf("in three turns only %v", began)
		}
		who := 0
		for m := range 3 {
			if turnOf(m, 3, at) {
				who++
				began[m] = true
			}
			for other := range 3 { // whose clock is some seconds off
				if other != m && turnOf(m, 3, at) && turnOf(other, 3, at.Add(20*time.Second)) {
					t.Fatalf("%d and %d at once at %v", m, other, at)
				}
			}
		}
		if who > 1 {
			t.Fatalf("%d at once", who)
		}
	}
	if !turnOf(0, 1, time.Unix(1_700_000_031, 0)) {
		t.Error("one that is alone waits")
	}
}
