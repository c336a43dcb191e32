package etcd

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/etcdutl/v3/snapshot"
)

// ErrNoBackup is answered for an external etcd: `etcdctl snapshot save` makes its backup.
var ErrNoBackup = errors.New("etcd: an etcd that the servers share is backed up by who runs it: etcdctl snapshot save")

// Backup writes a copy of all records, as they are at one moment, to w while the store goes on. It is a snapshot as etcdctl makes it; without
// its last bytes it is refused by Restore.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	b, ok := s.of.(*embedded)
	if !ok {
		return ErrNoBackup
	}
	if _, err := b.Revision(ctx); err != nil { // what was acknowledged elsewhere belongs to it,
		return fmt.Errorf("etcd: backup: %w", err)
	}
	// and what is in etcd's memory only.
	b.server.Backend().ForceCommit()
	copied := b.server.Backend().Snapshot()
	sum := sha256.New()
	_, err := copied.WriteTo(io.MultiWriter(w, sum))
	if cerr := copied.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		_, err = w.Write(sum.Sum(nil))
	}
	if err != nil {
		return fmt.Errorf("etcd: backup: %w", err)
	}
	return nil
}

// restoredLater is added to the revision of what is restored: nobody may take what comes next for what they saw after the backup was made.
const restoredLater = 1_000_000_000

// Restore makes the data directory of c, which must not be there or be empty, of a backup: that of a store of one member, which others may
// join. c.Peer is as it will be opened with. Either the directory is whole afterwards or it is as it was.
func Restore(c Config, backup string) error {
	if err := c.complete(); err != nil {
		return err
	}
	ec, err := EmbedConfig(c)
	if err != nil {
		return err
	}
	if begun(c.DataDir) {
		return fmt.Errorf("etcd: restore: %s holds a store: move it away first", c.DataDir)
	}
	lock, err := lockDir(c.DataDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	var urls []string
	for _, u := range ec.AdvertisePeerUrls {
		urls = append(urls, u.String())
	}
	making := filepath.Join(c.DataDir, "restoring")
	if err := os.RemoveAll(making); err != nil {
		return fmt.Errorf("etcd: restore: %w", err)
	}
	err = snapshot.NewV3(zapTo(c.Log.With("component", "etcd"))).Restore(snapshot.RestoreConfig{
		SnapshotPath: backup, Name: ec.Name, OutputDataDir: making, PeerURLs: urls,
		InitialCluster: ec.InitialClusterFromName(ec.Name), InitialClusterToken: ec.InitialClusterToken,
		RevisionBump: restoredLater, MarkCompacted: true,
	})
	if err == nil {
		err = os.Rename(filepath.Join(making, "member"), filepath.Join(c.DataDir, "member"))
	}
	if rerr := os.RemoveAll(making); err == nil {
		err = rerr
	}
	if err != nil {
		return fmt.Errorf("etcd: restore %s: %w", backup, err)
	}
	return nil
}
