// Package etcdtest runs a bare etcd in the process: what package etcd is measured against, and the external etcd that its
// tests connect to.
package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"github.com/berth-ecs/berth/store/etcd"
)

// Server is a running etcd, configured as package etcd configures its own.
type Server struct {
	etcd   *embed.Etcd
	client *clientv3.Client
	socket string
}

// Start runs an etcd with its data in dir, answering in the process and on a unix socket.
func Start(ctx context.Context, dir string) (*Server, error) {
	socket := filepath.Join(dir, "etcd.sock")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c, err := etcd.EmbedConfig(etcd.Config{DataDir: dir, Socket: socket})
	if err != nil {
		return nil, err
	}
	e, err := embed.StartEtcd(c)
	if err != nil {
		return nil, err
	}
	s := &Server{etcd: e, client: v3client.New(e.Server), socket: socket}
	select {
	case <-e.Server.ReadyNotify():
		return s, nil
	case <-ctx.Done():
		e.Close()
		return nil, context.Cause(ctx)
	}
}

// Endpoint is where clients reach it.
func (s *Server) Endpoint() string { return "unix://" + s.socket }

// Replace writes value if the key was last written at revision mod (0: is absent), and answers the new revision.
func (s *Server) Replace(ctx context.Context, key, value string, mod int64) (int64, error) {
	resp, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", mod)).
		Then(clientv3.OpPut(key, value)).Commit()
	if err != nil {
		return 0, err
	}
	if !resp.Succeeded {
		return 0, fmt.Errorf("etcdtest: %s is not at revision %d", key, mod)
	}
	return resp.Header.Revision, nil
}

// Compact forgets all history before the current revision.
func (s *Server) Compact(ctx context.Context) error {
	resp, err := s.client.Get(ctx, "compact")
	if err == nil {
		_, err = s.client.Compact(ctx, resp.Header.Revision, clientv3.WithCompactPhysical())
	}
	return err
}

// Depose removes the proof of leadership of the installation name from the etcd at endpoint, as if its lease had run out.
func Depose(ctx context.Context, endpoint, name string) error {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}})
	if err != nil {
		return err
	}
	_, err = c.Delete(ctx, "/berth/"+name+"/l/", clientv3.WithPrefix())
	return errors.Join(err, c.Close())
}

// Close stops it; the data stays.
func (s *Server) Close() error {
	s.etcd.Close()
	return nil
}
