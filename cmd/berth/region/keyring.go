package region

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/clock"
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
			p, _ = tables.Good(tx, accessKey, clock.Now())
			return nil
		})
		if err == nil && p != nil {
			return sigv4.Key{
				Secret: p.Secret, Account: p.Home.Account, Principal: joining.Principal(p.Home, p.Machine), UserID: "AROA:" + p.Machine,
				SessionToken: p.Token, Expires: p.Expires, Machine: p.Machine,
			}, true
		}
	}
	return sigv4.Key{}, false
}

// agentsToo allows nodes what agents do, and leaves everything else to who decides.
type agentsToo struct {
	wire.Authorizer
	store store.Store
}

// Allow implements wire.Authorizer. It looks for the machine, too: passwords of the registry live longer than the keys that got them.
func (a agentsToo) Allow(ctx context.Context, c wire.Call, action, resource string) error {
	id := joining.MachineOf(c.Principal)
	if id == "" || !joining.MayAgent(action) {
		return a.Authorizer.Allow(ctx, c, action, resource)
	}
	mine := false
	err := a.store.View(ctx, store.Any, func(tx store.Tx) error {
		m, ok := tables.Known(tx, id)
		mine = ok && (m.Home.Region == c.Region || !strings.HasPrefix(action, "ecs:")) // images may come from any region
		return nil
	})
	if err == nil && !mine {
		return a.Authorizer.Allow(ctx, c, action, resource)
	}
	return err
}

var errNotItsOwn = errors.New("the keys are those of a node, and its certificate did not come with them")

// ownConnection demands that a node opens its sessions with its certificate: keys that somebody took from it open none.
func ownConnection(verify func(*http.Request) (sigv4.Identity, error)) func(*http.Request) (sigv4.Identity, error) {
	return func(r *http.Request) (sigv4.Identity, error) {
		id, err := verify(r)
		if err != nil || id.Key.Machine == "" {
			return id, err
		}
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			return sigv4.Identity{}, errNotItsOwn
		}
		if m, err := authority.Read(r.TLS.PeerCertificates[0]); err != nil || m.ID != id.Key.Machine {
			return sigv4.Identity{}, errNotItsOwn
		}
		return id, nil
	}
}
