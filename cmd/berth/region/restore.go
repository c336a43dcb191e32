package region

import (
	"context"
	"errors"
	"log/slog"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/internal/ready"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/etcd"
)

// Restore makes the records of a server that is the first of those that come of a backup.
func Restore(ctx context.Context, s config.Settings, log *slog.Logger, backup string) error {
	if s.Join != "" {
		return errors.New("join is for machines that join one that runs: restore one server, let the others join it")
	}
	if s.SharesEtcd() {
		return errors.New("the records are in the etcd, which who runs it restores: etcdutl snapshot restore, with --bump-revision 1000000000 --mark-compacted, while no server runs")
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
	c := etcd.Config{Schema: Schema(), DataDir: etcdDir(s), Name: s.Name, Peer: peer, Log: log}
	if err := etcd.Restore(c, backup); err != nil {
		return err
	}
	return forget(ctx, c)
}

// forget takes away what let machines in when the backup was made: a ticket that was used since, or keys that were taken away, would be good
// again. Nodes get keys by their certificates; the other servers join anew.
func forget(ctx context.Context, c etcd.Config) (err error) {
	s, err := etcd.Open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for more := true; more && err == nil; {
		err = s.Update(ctx, func(tx store.Tx) error { more = tables.Forget(tx, forgotten); return nil })
	}
	return err
}

// forgotten is how many records one transaction takes away.
const forgotten = 50
