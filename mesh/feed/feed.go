// Package feed tells what proxies are to do as records change: it follows the store, has wings make parts and endpoints of their records, puts in the
// secrets that parts need, and hands the difference to what serves proxies.
//
// Guarantees:
//
//   - What was told, put together, is what the records say: nothing is missed, also when the store's watch was lost.
//   - A change is told when its commit is known, without delay, and costs what the wing says it touches. A certificate that is renewed changes its secret
//     and nothing else.
//   - What cannot be told (a part that is wrong, a key that does not open) is logged, keeps what it had, and holds up nothing else.
//   - A secret is in no log.
//   - Every server runs one; it writes nothing.
package feed

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/berth-ecs/berth/mesh/xds/server"
	"github.com/berth-ecs/berth/proxyconf"
	"github.com/berth-ecs/berth/store"
)

// Config is what a Feed needs.
type Config struct {
	Store   store.Store  // required
	Wing    Wing         // required
	Secrets Secrets      // required
	Book    Book         // required
	Log     *slog.Logger // required
}

// Wing has what proxies do in its records, in tables of its own. Its methods are not called at once.
type Wing interface {
	// Tables are those that parts and endpoints are made of.
	Tables() []string
	// Load forgets everything and answers what the records make.
	Load(tx store.Tx) News
	// Follow answers how that changes with changes of Tables, which tx has the last of.
	Follow(tx store.Tx, changes []store.Change) News
}

// News is how what proxies do changes. Every secret that a part names was new in one and has not gone in a later one.
type News struct {
	Parts         []server.NodePart
	PartsGone     []server.PartKey
	Endpoints     []proxyconf.Endpoints
	EndpointsGone []string
	Secrets       []string // names of those that a part needs now
	SecretsGone   []string
}

// Secrets is the wing that keeps certificates, in tables of its own.
type Secrets interface {
	// Tables are those that secrets are made of.
	Tables() []string
	// Of is the secret that a change of Tables is about, "" for none.
	Of(c store.Change) string
	// Secret is the certificate with its chain, and its key, both PEM.
	Secret(tx store.Tx, name string) (chain, key []byte, err error)
}

// Book takes news over, all at once; it is right about all that its error does not name.
type Book interface {
	Tell(n server.News) error
}

// Feed is what one server has proxies told.
type Feed struct {
	Config
	sealed map[string]bool // tables of Secrets
	needed map[string]bool // secrets that parts name
	loaded chan struct{}
}

// New makes a Feed.
func New(c Config) *Feed {
	f := &Feed{Config: c, sealed: map[string]bool{}, loaded: make(chan struct{})}
	for _, t := range c.Secrets.Tables() {
		f.sealed[t] = true
	}
	return f
}

// Loaded is closed when everything has been told once. Before, what was told is nothing, and not what the records say.
func (f *Feed) Loaded() <-chan struct{} { return f.loaded }

// Run follows the store until ctx ends (nil) or the store closes (its error). It is called once.
func (f *Feed) Run(ctx context.Context) error {
	sub := f.Store.Watch(ctx, append(f.Wing.Tables(), f.Secrets.Tables()...)...)
	defer sub.Close()
	for first := true; ; {
		b, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("feed of proxies: %w", err)
		case b.Resync:
			f.needed = map[string]bool{}
			n := f.news(b, f.Wing.Load(b.Snapshot), nil)
			n.Whole = true
			f.tell(n)
			if first {
				close(f.loaded)
			}
			first = false
		default:
			f.advance(b)
		}
	}
}

// advance takes changes of several commits as one: what was in between nobody needs.
func (f *Feed) advance(b store.Batch) {
	var records []store.Change
	renewed := map[string]bool{}
	for _, c := range b.Changes {
		if !f.sealed[c.Table] {
			records = append(records, c)
		} else if name := f.Secrets.Of(c); name != "" {
			renewed[name] = true
		}
	}
	var n News
	if len(records) > 0 {
		n = f.Wing.Follow(b.Snapshot, records)
	}
	f.tell(f.news(b, n, renewed))
}

// news puts in the secrets: those that are new, and those of renewed that some part needs.
func (f *Feed) news(b store.Batch, n News, renewed map[string]bool) server.News {
	out := server.News{Parts: n.Parts, PartsGone: n.PartsGone, Endpoints: n.Endpoints, EndpointsGone: n.EndpointsGone, SecretsGone: n.SecretsGone}
	for _, name := range n.SecretsGone {
		delete(f.needed, name)
	}
	read := map[string]bool{}
	for _, name := range n.Secrets {
		f.needed[name], read[name] = true, true
	}
	for name := range renewed {
		read[name] = read[name] || f.needed[name]
	}
	for name, wanted := range read {
		if !wanted {
			continue
		}
		chain, key, err := f.Secrets.Secret(b.Snapshot, name)
		if err != nil {
			f.Log.Warn("a certificate cannot be told to proxies", "certificate", name, "error", err)
			out.SecretsKept = append(out.SecretsKept, name)
			continue
		}
		out.Secrets = append(out.Secrets, proxyconf.Secret{Name: name, Chain: chain, Key: key})
	}
	return out
}

func (f *Feed) tell(n server.News) {
	if len(n.Parts)+len(n.PartsGone)+len(n.Endpoints)+len(n.EndpointsGone)+len(n.Secrets)+len(n.SecretsGone) == 0 && !n.Whole {
		return
	}
	if err := f.Book.Tell(n); err != nil {
		f.Log.Error("proxies cannot be told", "error", err)
	}
}
