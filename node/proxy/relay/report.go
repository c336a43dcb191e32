package relay

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/berth-ecs/berth/mesh/xds/seam"
	"github.com/berth-ecs/berth/node/proxy/envoy"
	"github.com/berth-ecs/berth/node/proxy/probe"
	"github.com/berth-ecs/berth/proxyconf"
)

const (
	countEvery = 10 * time.Second
	// gather: what changes within so much is one report, and an Envoy that begins anew is no news.
	gather = 100 * time.Millisecond
	// atOnce keeps a report far below seam.MaxReport.
	atOnce  = 1000
	maxText = 500
)

// report says what became of what was heard, until ctx ends or the server is gone.
func (r *Relay) report(ctx context.Context, client grpc.ClientConnInterface) error {
	r.greeted(ctx)
	say, err := seam.Say(ctx, client)
	if err != nil {
		return err
	}
	saidParts, saidHealth := map[string]proxyconf.PartState{}, map[probe.Key]proxyconf.Health{}
	counted := map[string]envoy.Totals{}
	r.count(ctx, counted)
	counts := time.NewTicker(countEvery)
	defer counts.Stop()
	for whole := true; ; whole = false {
		parts, health := r.state()
		out := proxyconf.Report{Parts: differ(saidParts, parts, goneMark[string]), Health: differ(saidHealth, health, goneHealth)}
		if err := sayAll(say, out, whole); err != nil {
			return err
		}
		saidParts, saidHealth = parts, health
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-counts.C:
			if err := sayAll(say, proxyconf.Report{Counts: r.count(ctx, counted)}, false); err != nil {
				return err
			}
		case <-r.news:
			if !pause(ctx, gather) {
				return ctx.Err()
			}
		}
	}
}

// patience is for an Envoy that has not yet found this process after the one before: what it serves is not known, and not nothing.
const patience = 5 * time.Second

func (r *Relay) greeted(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.mu.Lock()
	idle := len(r.spaces) == 0
	r.mu.Unlock()
	if idle {
		return
	}
	select {
	case <-r.spoken:
	case <-ctx.Done():
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// differ is what is to be said of now to who heard before.
func differ[K comparable, V comparable](before, now map[K]V, gone func(K, V) (V, bool)) (out []V) {
	for k, v := range now {
		if old, ok := before[k]; !ok || old != v {
			out = append(out, v)
		}
	}
	for k, v := range before {
		if _, ok := now[k]; ok {
			continue
		}
		if mark, say := gone(k, v); say {
			out = append(out, mark)
		}
	}
	return out
}

// goneMark: of a part that a server took away, the server need not be told.
func goneMark[K comparable](_ K, v proxyconf.PartState) (proxyconf.PartState, bool) { return v, false }

func goneHealth(_ probe.Key, v proxyconf.Health) (proxyconf.Health, bool) {
	v.State, v.Reason, v.Detail = "", "", ""
	return v, true
}

// sayAll says a report in as many as it takes: one of everything goes on until it has no more. A change that is empty is not said.
func sayAll(say func(proxyconf.Report) error, out proxyconf.Report, whole bool) error {
	left := func() bool { return len(out.Parts)+len(out.Health)+len(out.Counts) > 0 }
	for first := true; first && whole || left(); first = false {
		one := proxyconf.Report{Whole: whole && first}
		one.Parts, out.Parts = cut(out.Parts)
		one.Health, out.Health = cut(out.Health)
		one.Counts, out.Counts = cut(out.Counts)
		one.More = whole && left()
		if err := say(one); err != nil {
			return err
		}
	}
	return nil
}

func cut[V any](all []V) (first, rest []V) {
	n := min(len(all), atOnce)
	return all[:n], all[n:]
}

// state is how far Envoy is with each part, and how each target is.
func (r *Relay) state() (map[string]proxyconf.PartState, map[probe.Key]proxyconf.Health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	parts, health := map[string]proxyconf.PartState{}, map[probe.Key]proxyconf.Health{}
	for name, p := range r.view.parts {
		parts[name] = proxyconf.PartState{Part: name, Serving: r.serves(p), Error: r.errorOf(name, p)}
	}
	for _, c := range r.view.clusters {
		for a, draining := range hosts(r.view.sets[c.extra.Endpoints]) {
			k := healthKey(c.extra, a)
			h := proxyconf.Health{Part: k.Part, Endpoints: k.Endpoints, Addr: k.Addr}
			known, looked := r.health[k]
			switch {
			case draining && r.drained[k]:
				h.State = "drained"
			case draining: // nothing is known of it but that
				continue
			case c.extra.Check == nil:
				h.State = probe.Healthy
			case looked:
				h.State, h.Reason, h.Detail = known.State, known.Reason, known.Detail
			default:
				continue
			}
			health[k] = h
		}
	}
	return parts, health
}

// serves: Envoy has acknowledged every listener that the part should have.
func (r *Relay) serves(p *part) bool {
	for _, name := range p.listeners {
		k := Key{seam.TypeListener, name}
		if r.view.items[k] == nil || r.told[k] == nil {
			return false
		}
	}
	return len(p.listeners) > 0
}

func (r *Relay) errorOf(name string, p *part) string {
	err := p.err
	for _, of := range seam.Types() {
		if text := r.errs[partType{name, of}]; text != "" {
			err = errors.Join(err, errors.New(text))
		}
	}
	if err == nil {
		return ""
	}
	text := strings.ToValidUTF8(err.Error(), "")
	return text[:min(len(text), maxText)]
}

// count answers what was counted since the last time. An Envoy that began anew counts from nothing.
func (r *Relay) count(ctx context.Context, before map[string]envoy.Totals) (out []proxyconf.Count) {
	now, err := r.c.Admin.Counters(ctx)
	if err != nil {
		clear(before) // none runs
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, c := range r.view.clusters {
		n, ok := now[envoy.Counted(name)]
		if !ok {
			continue
		}
		b := before[name]
		if n.Requests < b.Requests || n.Connections < b.Connections {
			b = envoy.Totals{}
		}
		before[name] = n
		one := proxyconf.Count{
			Part: c.extra.Part, Cluster: c.extra.Cluster, Requests: n.Requests - b.Requests, Errors: n.Errors - b.Errors, Connections: n.Connections - b.Connections,
			LatencySum: n.LatencySum - b.LatencySum, Bytes: n.Bytes - b.Bytes,
		}
		if one.Requests != 0 || one.Connections != 0 || one.Bytes != 0 || one.Errors != 0 {
			out = append(out, one)
		}
	}
	return out
}
