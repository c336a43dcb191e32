package region

import (
	"context"
	"io"

	"github.com/berth-ecs/berth/internal/clock"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/joinapi"
	"github.com/berth-ecs/berth/store/etcd"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// joinPages answers machines that join and operators who let them in; nil where nobody can.
func joinPages(c Config, r rooms) *joinapi.API {
	if r.membership.authority == nil {
		return nil
	}
	regions, every := regionsOf(c.Settings)
	v := &sigv4.Verifier{Keys: r.keys, Now: clock.Now, Service: "ecs", Regions: regions, AnyRegion: every}
	return joinapi.New(joinapi.Config{
		Store: r.store, Authority: r.membership.authority, Verify: v.Verify, Secrets: r.membership.secrets,
		Members: keepers{r.keepers, c.Settings.SharesEtcd()}, Accounts: accountsOf(c.Settings), Endpoint: c.Settings.AgentEndpoint(), Log: c.Log.With("component", "joining"),
		Withdraw: func(ctx context.Context, machine string) (int, error) {
			return withdraw(ctx, r.store, wings(c), machine)
		},
	})
}

// keepers are the servers that keep the store, or share it; none in a test's.
type keepers struct {
	store  *etcd.Store
	shared bool
}

// AddMember implements joinapi.Members.
func (k keepers) AddMember(ctx context.Context, name, address string) (map[string]string, error) {
	if k.store == nil {
		return nil, etcd.ErrNoMembers
	}
	return k.store.AddMember(ctx, name, address)
}

// RemoveMember implements joinapi.Members.
func (k keepers) RemoveMember(ctx context.Context, name string) error {
	if k.store == nil {
		return etcd.ErrNoMembers
	}
	if k.shared {
		return sharers{k.store}.remove(ctx, name)
	}
	return k.store.RemoveMember(ctx, name)
}

// States implements joinapi.Members.
func (k keepers) States(ctx context.Context) ([]joining.ServerState, error) {
	switch {
	case k.store == nil:
		return nil, nil
	case k.shared:
		return sharers{k.store}.states(ctx)
	}
	all, err := k.store.Members()
	out := make([]joining.ServerState, len(all))
	for i, m := range all {
		out[i] = joining.ServerState{Name: m.Name, Peer: m.Address, Voter: m.Voter, Leader: m.Leader}
	}
	return out, err
}

// Backup implements joinapi.Members.
func (k keepers) Backup(ctx context.Context, w io.Writer) error {
	if k.store == nil {
		return etcd.ErrNoBackup
	}
	return k.store.Backup(ctx, w)
}
