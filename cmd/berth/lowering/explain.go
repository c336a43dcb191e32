package lowering

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/elb"
	"github.com/berth-ecs/berth/elb/lower"
	"github.com/berth-ecs/berth/elb/route"
	"github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Explainer answers which way a request takes: GET ?name=&url=&method=&header=&from=, signed by root.
type Explainer struct {
	Store    store.Store                                 // required
	Machines Machines                                    // required
	Verify   func(*http.Request) (sigv4.Identity, error) // required
	Log      *slog.Logger                                // required
}

var errNoBalancer = errors.New("there is no load balancer of this name here")

// ServeHTTP implements http.Handler.
func (x Explainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	caller, err := x.Verify(r)
	if err != nil || !caller.IsRoot() {
		http.Error(w, "only root may ask", http.StatusForbidden)
		return
	}
	asked := r.URL.Query()
	q, wrong := question(asked)
	home := elb.Home{Account: caller.Key.Account, Region: caller.Scope.Region}
	var answer route.Answer
	err = x.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		l := find(tx, home, asked.Get("name"))
		if l == nil {
			wrong = errors.Join(errNoBalancer, wrong)
		}
		if wrong == nil {
			b := Balancer(tx, home, l.ID)
			answer = route.Explain(b, x.state(tx, b), q)
		}
		return nil
	})
	switch {
	case err != nil:
		http.Error(w, "the store is not available", http.StatusServiceUnavailable)
		return
	case wrong != nil:
		http.Error(w, wrong.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		x.Log.Debug("answer explain", "error", err)
	}
}

// find is the load balancer that somebody means: by its name, its DNS name or its ARN.
func find(tx store.Tx, h elb.Home, name string) *elb.LoadBalancer {
	for _, l := range tables.LoadBalancers.List(tx, tables.All(h), "") {
		if l.Name == name || l.ARN() == name || strings.EqualFold(l.DNSName, name) {
			return l
		}
	}
	return nil
}

// state is how things are behind a load balancer.
func (x Explainer) state(tx store.Tx, b *lower.Balancer) route.State {
	h := b.LoadBalancer.Home
	s := route.State{
		Nodes: tables.Status(tx, b.LoadBalancer).Nodes, Targets: map[string][]*elb.Target{}, Healths: map[string][]*elb.TargetHealth{},
		World: snapshot{tx, x.Machines},
	}
	for id := range b.Groups {
		for _, t := range tables.Targets.List(tx, tables.TargetsOf(h, id), "") {
			s.Targets[id] = append(s.Targets[id], t)
		}
		for _, t := range tables.TargetHealths.List(tx, tables.TargetsOf(h, id), "") {
			if t.LoadBalancer == b.LoadBalancer.ID {
				s.Healths[id] = append(s.Healths[id], t)
			}
		}
	}
	return s
}

// snapshot is the world as the store has it.
type snapshot struct {
	tx       store.Tx
	machines Machines
}

// Machine implements lower.World.
func (s snapshot) Machine(h elb.Home, instance string) netip.Addr {
	for m := range s.machines.All(s.tx) {
		if m.Home == h && m.Instance == instance {
			return m.Addr
		}
	}
	return netip.Addr{}
}

// Nodes implements lower.World.
func (s snapshot) Nodes(arn string) []elb.Node {
	h, kind, p, ok := elb.ParseARN(arn)
	if !ok || kind != "loadbalancer" || len(p) != 3 {
		return nil
	}
	l, ok := tables.LoadBalancers.Peek(s.tx, tables.Key(h, p[2]))
	if !ok || l.ARN() != arn {
		return nil
	}
	var out []elb.Node
	for _, n := range tables.Status(s.tx, l).Nodes {
		if n.Serving {
			out = append(out, n)
		}
	}
	return out
}

// Stranger is the address of a client that nobody named: one that nobody has.
const Stranger = "198.51.100.1"

// question reads what is asked.
func question(v url.Values) (route.Request, error) {
	q := route.Request{Method: http.MethodGet, Source: netip.MustParseAddr(Stranger)}
	u, err := url.Parse(v.Get("url"))
	if err != nil || u.Hostname() == "" {
		return q, fmt.Errorf("%q is no URL: http://HOST/PATH, https://HOST/PATH or tcp://HOST:PORT", v.Get("url"))
	}
	q.Protocol, q.Host, q.Query = strings.ToLower(u.Scheme), u.Hostname(), u.RawQuery
	if q.Path = u.EscapedPath(); q.Path == "" {
		q.Path = "/"
	}
	port, known := map[string]string{"http": "80", "https": "443", "tcp": ""}[q.Protocol]
	if !known {
		return q, fmt.Errorf("protocol %q is not http, https or tcp", u.Scheme)
	}
	if p := u.Port(); p != "" {
		port = p
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return q, fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	q.Port = uint16(n)
	if m := v.Get("method"); m != "" {
		q.Method = m
	}
	for _, h := range v["header"] {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return q, fmt.Errorf("header %q is not NAME: VALUE", h)
		}
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); strings.EqualFold(name, "host") {
			q.Host, _, _ = strings.Cut(value, ":")
			continue
		}
		q.Headers = append(q.Headers, elb.Pair{Key: name, Value: value})
	}
	if from := v.Get("from"); from != "" {
		if q.Source, err = netip.ParseAddr(from); err != nil {
			return q, fmt.Errorf("%q is no address", from)
		}
	}
	return q, nil
}
