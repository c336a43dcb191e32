package region

import (
	"context"
	"errors"
	"log/slog"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/store/etcd"
)

// Restore makes the records of a server that is the first of those that come of a backup.
func Restore(ctx context.Context, s config.Settings, log *slog.Logger, backup string) error {
	if s.Join != "" {
		return errors.New("join is for machines that join one that runs: restore one server, let the others join it")
	}
	m, err := belong(ctx, Config{Settings: s, Ready: &ready.State{}, Log: log})
	if err != nil {
		return err
	}
	peer, err := m.peer()
	if err != nil {
		return err
	}
	if peer != nil {
		peer.Join = nil // it is the first now
	}
	return etcd.Restore(etcd.Config{Schema: Schema(), DataDir: etcdDir(s), Name: s.Name, Peer: peer, Log: log}, backup)
}
