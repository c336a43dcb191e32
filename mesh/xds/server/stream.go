package server

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/berth-ecs/berth/mesh/xds/seam"
)

// stream is one node's: what it asked for, and what it has.
type stream struct {
	types   map[string]*asked
	to      func(*discovery.DeltaDiscoveryResponse) error
	metrics *metrics
	nonce   uint64
}

// asked is what a node asked for of one type.
type asked struct {
	all   bool             // whatever there is
	names map[string]bool  // else these
	want  map[string]*Item // what there is for the node, asked for or not
	has   map[string]string
	held  map[string]bool // what the node has of these stays
	begun bool
}

func newStream(to func(*discovery.DeltaDiscoveryResponse) error, m *metrics) *stream {
	s := &stream{types: map[string]*asked{}, to: to, metrics: m}
	for _, t := range seam.Types() {
		s.types[t] = &asked{names: map[string]bool{}, want: map[string]*Item{}, has: map[string]string{}, held: map[string]bool{}}
	}
	return s
}

func (a *asked) wants(name string) bool { return a.begun && (a.all || a.names[name]) }

const (
	// maxResponse is about how much is told in one message; a resource that is larger is told alone.
	maxResponse = 1 << 20
	wildcard    = "*"
	// maxNames bounds what a node may ask for by name.
	maxNames = 100_000
)

// hear takes a request: a first one of its type, an answer to what was told, or a change of what is asked for. It answers why something was refused.
func (s *stream) hear(r *discovery.DeltaDiscoveryRequest) (refused string, err error) {
	a := s.types[r.GetTypeUrl()]
	if a == nil {
		return "", status.Errorf(codes.InvalidArgument, "there are no resources of type %q", r.GetTypeUrl())
	}
	if d := r.GetErrorDetail(); d != nil {
		refused = cmp.Or(d.GetMessage(), "it does not say why")
	}
	first := !a.begun
	if first {
		a.begun = true
		a.all = len(r.GetResourceNamesSubscribe()) == 0
		maps.Copy(a.has, r.GetInitialResourceVersions())
	}
	var again []string
	for _, n := range r.GetResourceNamesSubscribe() {
		if n == wildcard {
			again = append(again, slices.Collect(maps.Keys(a.want))...)
			a.all = true
			continue
		}
		a.names[n] = true
		if !first { // who asks once more has forgotten it
			delete(a.has, n)
		}
		again = append(again, n)
	}
	for _, n := range r.GetResourceNamesUnsubscribe() {
		if n == wildcard {
			a.all = false
		}
		delete(a.names, n)
		delete(a.has, n)
	}
	if len(a.names)+len(a.has) > maxNames {
		return "", status.Error(codes.ResourceExhausted, "too many names")
	}
	switch {
	case first:
		return refused, s.begin(r.GetTypeUrl(), again)
	case len(again) > 0:
		return refused, s.tell(r.GetTypeUrl(), again)
	}
	return refused, nil
}

// begin answers the first request of a type, even when there is nothing: the node knows then that it has everything. What a node came with and is gone
// is told when it has asked for every type: before, something that it has may still name it. Listeners that are gone are told before those that are new.
func (s *stream) begin(kind string, names []string) error {
	a := s.types[kind]
	if a.all {
		names = slices.Collect(maps.Keys(a.want))
	}
	if l := s.types[seam.TypeListener]; l.begun {
		if err := s.unset(seam.TypeListener, slices.AppendSeq(slices.Collect(maps.Keys(l.has)), maps.Keys(l.names))); err != nil {
			return err
		}
	}
	told, err := s.set(kind, names)
	if err != nil {
		return err
	}
	if told == 0 {
		if err := s.send(&discovery.DeltaDiscoveryResponse{TypeUrl: kind}); err != nil {
			return err
		}
	}
	if !s.whole() {
		return nil
	}
	for _, kind := range slices.Backward(seam.Types()) {
		a := s.types[kind]
		if err := s.unset(kind, slices.AppendSeq(slices.Collect(maps.Keys(a.has)), maps.Keys(a.names))); err != nil {
			return err
		}
	}
	return nil
}

// whole tells whether the node has asked for every type.
func (s *stream) whole() bool {
	for _, a := range s.types {
		if !a.begun {
			return false
		}
	}
	return true
}

func (s *stream) tell(kind string, names []string) error {
	if _, err := s.set(kind, names); err != nil {
		return err
	}
	return s.unset(kind, names)
}

// take makes a change what the node is to have, and tells it: first what is new, then what is gone. Listeners that are gone come first: nothing names
// them, and a new one may have their port.
func (s *stream) take(c Change) error {
	changed := map[string][]string{}
	for _, k := range c.Held {
		if a := s.types[k.Type]; a != nil {
			a.held[k.Name] = true
		}
	}
	for _, i := range c.Set {
		if a := s.types[i.Type]; a != nil {
			a.want[i.Name] = i
			delete(a.held, i.Name)
			changed[i.Type] = append(changed[i.Type], i.Name)
		}
	}
	for _, k := range c.Gone {
		if a := s.types[k.Type]; a != nil {
			delete(a.want, k.Name)
			delete(a.held, k.Name)
			changed[k.Type] = append(changed[k.Type], k.Name)
		}
	}
	if err := s.unset(seam.TypeListener, changed[seam.TypeListener]); err != nil {
		return err
	}
	for _, kind := range seam.Types() {
		if _, err := s.set(kind, changed[kind]); err != nil {
			return err
		}
	}
	for _, kind := range slices.Backward(seam.Types()) {
		if err := s.unset(kind, changed[kind]); err != nil {
			return err
		}
	}
	return nil
}

// set tells those of names that the node asked for and has not as they are.
func (s *stream) set(kind string, names []string) (told int, err error) {
	a := s.types[kind]
	r := &discovery.DeltaDiscoveryResponse{TypeUrl: kind}
	size := 0
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		i := a.want[n]
		if i == nil || !a.wants(n) || a.has[n] == i.Version {
			continue
		}
		if size > 0 && size+len(i.Body.GetValue()) > maxResponse {
			if err := s.send(r); err != nil {
				return told, err
			}
			r, size = &discovery.DeltaDiscoveryResponse{TypeUrl: kind}, 0
		}
		r.Resources = append(r.Resources, &discovery.Resource{Name: n, Version: i.Version, Resource: i.Body})
		size += len(i.Body.GetValue())
		a.has[n] = i.Version
		told++
	}
	if len(r.GetResources()) == 0 {
		return told, nil
	}
	return told, s.send(r)
}

// unset tells which of names are not: of what the node has, and of what it asked for by name.
func (s *stream) unset(kind string, names []string) error {
	if !s.whole() {
		return nil
	}
	a := s.types[kind]
	r := &discovery.DeltaDiscoveryResponse{TypeUrl: kind}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if _, has := a.has[n]; a.want[n] != nil || a.held[n] || !has && !a.names[n] {
			continue
		}
		delete(a.has, n)
		r.RemovedResources = append(r.RemovedResources, n)
	}
	if len(r.GetRemovedResources()) == 0 {
		return nil
	}
	return s.send(r)
}

func (s *stream) send(r *discovery.DeltaDiscoveryResponse) error {
	s.nonce++
	r.Nonce = strconv.FormatUint(s.nonce, 10)
	s.metrics.told(r)
	return s.to(r)
}
