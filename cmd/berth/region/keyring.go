package region

import (
	"context"
	"strings"
	"time"

	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// keyring finds the keys of roots and of nodes.
type keyring struct {
	roots sigv4.Keys
	store store.Store
}

// passPatience is how long an unknown key of a node may take: another server may have given it a moment ago.
const passPatience = 2 * time.Second

// Lookup implements sigv4.Keys.
func (k keyring) Lookup(accessKey string) (sigv4.Key, bool) {
	if key, ok := k.roots.Lookup(accessKey); ok || !strings.HasPrefix(accessKey, "ASIA") {
		return key, ok
	}
	ctx, cancel := context.WithTimeout(context.Background(), passPatience)
	defer cancel()
	for _, how := range []store.Freshness{store.Any, store.Fresh} {
		var p *joining.Pass
		err := k.store.View(ctx, how, func(tx store.Tx) error {
			p, _ = tables.Good(tx, accessKey, time.Now())
			return nil
		})
		if err == nil && p != nil {
			return sigv4.Key{
				Secret: p.Secret, Account: p.Home.Account, Principal: joining.Principal(p.Home, p.Machine), UserID: "AROA:" + p.Machine,
				SessionToken: p.Token, Expires: p.Expires,
			}, true
		}
	}
	return sigv4.Key{}, false
}

// agentsToo allows nodes what agents do, and leaves everything else to who decides.
type agentsToo struct{ wire.Authorizer }

// Allow implements wire.Authorizer.
func (a agentsToo) Allow(ctx context.Context, c wire.Call, action, resource string) error {
	if joining.MachineOf(c.Principal) != "" && joining.MayAgent(action) {
		return nil
	}
	return a.Authorizer.Allow(ctx, c, action, resource)
}
