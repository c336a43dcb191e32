package region

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// What let machines in when the backup was made lets nobody in after it; who they are is still known.
func TestRestoreForgetsWhatOpenedDoors(t *testing.T) {
	dir := t.TempDir()
	quiet := slog.New(slog.DiscardHandler)
	old := openStore(t, filepath.Join(dir, "old", "etcd"))
	const many = 120 // more than one transaction takes away
	for n := range many {
		err := old.Update(t.Context(), func(tx store.Tx) error {
			id := strconv.Itoa(n)
			tables.Offers.Put(tx, &joining.Offer{ID: id, Expires: time.Now().Add(time.Hour)})
			tables.Passes.Put(tx, &joining.Pass{AccessKey: id, Machine: id, Expires: time.Now().Add(time.Hour)})
			tables.Machines.Put(tx, &joining.Machine{ID: id, Role: joining.Node})
			tables.Places.Put(tx, &joining.Place{Name: id})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	backup, err := os.Create(filepath.Join(dir, "backup"))
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := backup.Close(); err != nil {
		t.Fatal(err)
	}

	settings := config.Settings{Name: "berth", DataDir: filepath.Join(dir, "new")}
	if err := Restore(t.Context(), settings, quiet, backup.Name()); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, etcdDir(settings))
	err = s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		prefix := store.Installation().Prefix()
		if n := size(tables.Offers.List(tx, prefix, "")) + size(tables.Passes.List(tx, prefix, "")) + size(tables.Places.List(tx, prefix, "")); n != 0 {
			t.Errorf("%d tickets, keys and places are left", n)
		}
		if n := size(tables.Machines.List(tx, prefix, "")); n != many {
			t.Errorf("%d of %d machines are known", n, many)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T, dir string) *etcd.Store {
	t.Helper()
	s, err := etcd.Open(t.Context(), etcd.Config{Schema: Schema(), DataDir: dir, Name: "berth"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func size[T any](all func(func(string, T) bool)) (n int) {
	for range all {
		n++
	}
	return n
}
