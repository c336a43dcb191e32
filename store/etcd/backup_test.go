package etcd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dir, certs := t.TempDir(), newCertificates(t)
	a := openMember(t, dir, certs.peer(t, "a"))
	b := openMember(t, dir, joining(certs.peer(t, "b"), a))
	write(t, a, "before", 1)
	var backup bytes.Buffer
	if err := b.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	write(t, a, "after", 1)
	status, err := a.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shut(t, b)
	shut(t, a)

	file := filepath.Join(dir, "backup")
	c := etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "restored"), Peer: certs.peer(t, "r")}
	for what, data := range map[string][]byte{
		"cut off": backup.Bytes()[:backup.Len()-100], "without its sum": backup.Bytes()[:backup.Len()-32], "nothing": nil,
		"changed": append([]byte("x"), backup.Bytes()[1:]...),
	} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := etcd.Restore(c, file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.WriteFile(file, backup.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := etcd.Restore(c, file); err != nil {
		t.Fatal(err)
	}
	if err := etcd.Restore(c, file); err == nil || !strings.Contains(err.Error(), "holds a store") {
		t.Errorf("restored over another: %v", err)
	}
	restored := open(t, c)
	t.Cleanup(func() { _ = restored.Close() })
	if got := count(t, restored); got != 1 || names(t, restored) != "r" {
		t.Errorf("%d records, members %s", got, names(t, restored))
	}
	if now, err := restored.Status(t.Context()); err != nil || now.Revision <= status.Revision {
		t.Errorf("revision %d after %d (%v)", now.Revision, status.Revision, err)
	}
	write(t, restored, "later", 1)
	s := openMember(t, dir, joining(certs.peer(t, "s"), restored))
	if got := count(t, s); got != 2 {
		t.Errorf("who joins what was restored has %d records", got)
	}
}

// A region of one machine is restored likewise, from a backup under way while it is written to.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "a")})
	defer s.Close()
	const before = 50
	for n := range before {
		write(t, s, strings.Repeat("x", n+1), 1)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				write(t, s, strings.Repeat("y", n%20+1), n)
			}
		}
	}()
	file, err := os.Create(filepath.Join(dir, "backup"))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Backup(t.Context(), file)
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	c := etcd.Config{Schema: store.Schema{notes}, DataDir: filepath.Join(dir, "b")}
	if err := etcd.Restore(c, file.Name()); err != nil {
		t.Fatal(err)
	}
	restored := open(t, c)
	defer restored.Close()
	if got := count(t, restored); got < before {
		t.Errorf("%d of %d records", got, before)
	}
}
