package relay

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// answer serves Envoy until ctx ends.
func (r *Relay) answer(ctx context.Context, l net.Listener) error {
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	discovery.RegisterAggregatedDiscoveryServiceServer(s, &front{relay: r})
	stop := context.AfterFunc(ctx, s.Stop)
	defer stop()
	if err := s.Serve(l); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

const maxMessage = 64 << 20

// front is Envoy's server.
type front struct {
	discovery.UnimplementedAggregatedDiscoveryServiceServer
	relay *Relay
}

// DeltaAggregatedResources implements Envoy's service.
func (f *front) DeltaAggregatedResources(s discovery.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	requests := make(chan *discovery.DeltaDiscoveryRequest)
	failed := make(chan error, 1)
	ctx := s.Context()
	go func() {
		for {
			in, err := s.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case requests <- in:
			case <-ctx.Done():
				return
			}
		}
	}()
	e := newEnd(f.relay, s.Send)
	f.relay.envoys(1)
	defer f.relay.envoys(-1)
	for {
		changed, err := e.flush()
		if err != nil {
			return err
		}
		select {
		case in := <-requests:
			e.hear(in)
		case <-changed:
		case err := <-failed:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end is one connection of Envoy's.
type end struct {
	relay *Relay
	send  func(*discovery.DeltaDiscoveryResponse) error
	types map[string]*interest
	nonce int
	sent  map[string]batch // by nonce
}

// interest is what Envoy asks of a type, and has.
type interest struct {
	all   bool
	names map[string]bool
	has   map[string]string // versions; "": it was told that there is none
}

// batch is one answer: of one resource, or without one, of what is gone.
type batch struct {
	key  Key
	item *item
}

func newEnd(r *Relay, send func(*discovery.DeltaDiscoveryResponse) error) *end {
	return &end{relay: r, send: send, types: map[string]*interest{}, sent: map[string]batch{}}
}

// hear takes a request: of interest, or what became of an answer.
func (e *end) hear(in *discovery.DeltaDiscoveryRequest) {
	of := in.GetTypeUrl()
	t := e.types[of]
	if t == nil {
		names := in.GetResourceNamesSubscribe()
		t = &interest{names: map[string]bool{}, has: map[string]string{}, all: len(names) == 0}
		e.types[of] = t
		maps.Copy(t.has, in.GetInitialResourceVersions())
		e.relay.resumed(of, t.has)
	}
	if b, ok := e.sent[in.GetResponseNonce()]; ok {
		delete(e.sent, in.GetResponseNonce())
		for _, name := range e.relay.heard(b, in.GetErrorDetail().GetMessage(), in.GetErrorDetail() != nil) {
			delete(t.has, name)
		}
	}
	for _, name := range in.GetResourceNamesSubscribe() {
		if name == "*" {
			t.all = true
			continue
		}
		t.names[name] = true
		if in.GetInitialResourceVersions()[name] == "" {
			delete(t.has, name) // who asks again wants to be told again
		}
	}
	for _, name := range in.GetResourceNamesUnsubscribe() {
		if name == "*" {
			t.all = false
			continue
		}
		delete(t.names, name)
		delete(t.has, name)
	}
}

// flush tells what Envoy lacks. What is answered is closed when there may be more.
func (e *end) flush() (<-chan struct{}, error) {
	e.relay.mu.Lock()
	items, changed := e.relay.view.items, e.relay.changed // a view's items never change
	e.relay.mu.Unlock()
	order := seam.Types()
	if t := e.types[seam.TypeListener]; t != nil { // nothing names one, and a new one may have its port
		if err := e.takeBack(seam.TypeListener, t, items); err != nil {
			return nil, err
		}
	}
	for _, of := range order {
		if t := e.types[of]; t != nil {
			if err := e.tell(of, t, items); err != nil {
				return nil, err
			}
		}
	}
	slices.Reverse(order)
	for _, of := range order {
		if t := e.types[of]; t != nil {
			if err := e.takeBack(of, t, items); err != nil {
				return nil, err
			}
		}
	}
	return changed, nil
}

// tell sends what is new or different, each by itself: so it is known what is refused, and nothing else is refused with it.
func (e *end) tell(of string, t *interest, items map[Key]*item) error {
	fresh := map[string]*item{}
	for k, i := range items {
		if k.Type != of || !t.all && !t.names[k.Name] {
			continue
		}
		if v, has := t.has[k.Name]; !has || v != i.version {
			fresh[k.Name] = i
		}
	}
	for _, name := range sorted(fresh) {
		i := fresh[name]
		t.has[name] = i.version
		if set := e.types[seam.TypeEndpoint]; i.eds != "" && set != nil {
			delete(set.has, i.eds) // a cluster that changed waits for its targets
		}
		out := &discovery.DeltaDiscoveryResponse{TypeUrl: of, Resources: []*discovery.Resource{{Name: name, Version: i.version, Resource: i.body}}}
		if err := e.say(out, batch{Key{of, name}, i}); err != nil {
			return err
		}
	}
	return nil
}

// takeBack says what is gone, or was never there.
func (e *end) takeBack(of string, t *interest, items map[Key]*item) error {
	out := &discovery.DeltaDiscoveryResponse{TypeUrl: of}
	gone := func(name string) {
		t.has[name] = ""
		out.RemovedResources = append(out.RemovedResources, name)
	}
	for name, version := range t.has {
		if items[Key{of, name}] == nil && version != "" {
			gone(name)
		}
	}
	for name := range t.names {
		if _, told := t.has[name]; !told && items[Key{of, name}] == nil && of != seam.TypeSecret {
			gone(name)
		}
	}
	if len(out.RemovedResources) == 0 {
		return nil
	}
	slices.Sort(out.RemovedResources)
	e.relay.mu.Lock()
	for _, name := range out.RemovedResources {
		delete(e.relay.told, Key{of, name})
		if !t.names[name] {
			delete(t.has, name)
		}
	}
	e.relay.mu.Unlock()
	return e.say(out, batch{})
}

func (e *end) say(out *discovery.DeltaDiscoveryResponse, b batch) error {
	e.nonce++
	out.Nonce = strconv.Itoa(e.nonce)
	e.sent[out.Nonce] = b
	return e.send(out)
}

// resumed: Envoy begins anew, with what it says that it has.
func (r *Relay) resumed(of string, has map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.told {
		if k.Type == of {
			delete(r.told, k)
		}
	}
	for name, version := range has {
		if i := r.view.items[Key{of, name}]; i != nil && i.version == version {
			r.told[Key{of, name}] = i
		} else {
			r.told[Key{of, name}] = &item{version: version}
		}
	}
	if of == seam.TypeListener {
		r.speak.Do(func() { close(r.spoken) })
	}
	ring(r.news)
}

// heard takes what Envoy made of an answer. It answers the names of those of its type that are to be told again.
func (r *Relay) heard(b batch, text string, no bool) (again []string) {
	if b.item == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer ring(r.news)
	pt := partType{b.item.part, b.key.Type}
	if !no {
		if was := r.told[b.key]; b.key.Type == seam.TypeListener && (was == nil || was.version != b.item.version) {
			again = r.retry(b)
		}
		r.told[b.key] = b.item
		if !r.refuses(pt) {
			delete(r.errs, pt)
		}
		return again
	}
	r.c.Log.Warn("the proxy refuses what it is told", "resource", b.key.Name, "error", text)
	if pt.part != "" {
		r.errs[pt] = text
	}
	before := r.told[b.key]
	if before != nil && before.body == nil {
		before = nil
	}
	r.refused[b.key] = refusal{b.item.version, before}
	ring(r.bell)
	return nil
}

// retry forgets that other listeners of a part were refused when one is another than it was: it may have had their port.
func (r *Relay) retry(b batch) (again []string) {
	for k := range r.refused {
		if part, _, _ := seam.Cut(k.Name); k.Type == b.key.Type && k != b.key && part == b.item.part {
			delete(r.refused, k)
			again = append(again, k.Name)
			ring(r.bell)
		}
	}
	return again
}

// refuses: Envoy is without something of a part that it refused, and the acknowledgement was of what it had before.
func (r *Relay) refuses(pt partType) bool {
	for k := range r.refused {
		if part, _, _ := seam.Cut(k.Name); k.Type == pt.of && part == pt.part {
			return true
		}
	}
	return false
}

func sorted[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
