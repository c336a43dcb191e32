package zone

import (
	"cmp"
	"iter"
	"maps"
	"reflect"
	"slices"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/nodeconf"
)

// Change is a record as it was and as it is; nil for none. Both are pointers to the same type.
type Change struct{ Old, New any }

// Index holds the records that zones are made of. Make it with New.
type Index struct {
	namespaces map[string]*cloudmap.Namespace // by ID, as the others
	services   map[string]*cloudmap.Service
	within     map[string]map[string]struct{} // services of namespaces
	members    map[string]map[string]member   // by service, then by ID

	before   map[ref]map[string]nodeconf.Value // what the change that is taken found
	beforeOf map[string]*cloudmap.Namespace
}

// member is what is known of an instance; either may be nil.
type member struct {
	instance *cloudmap.Instance
	health   *cloudmap.InstanceHealth
}

type ref struct{ service, id string }

// New makes an index without records.
func New() *Index {
	return &Index{
		namespaces: map[string]*cloudmap.Namespace{}, services: map[string]*cloudmap.Service{},
		within: map[string]map[string]struct{}{}, members: map[string]map[string]member{},
	}
}

// Load puts records into an empty index and answers what they make.
func (x *Index) Load(records iter.Seq[any]) nodeconf.Resources {
	for rec := range records {
		x.apply(rec, rec)
	}
	r := nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}
	for id, n := range x.namespaces {
		if z, ok := Of(n); ok {
			r.Zones[id] = z
		}
	}
	for service, all := range x.members {
		for id := range all {
			maps.Copy(r.Values, x.values(ref{service, id}))
		}
	}
	return r
}

// Apply takes changes, in their order and as one, and answers what they change. Versions are zero.
func (x *Index) Apply(changes ...Change) nodeconf.Delta {
	x.before, x.beforeOf = map[ref]map[string]nodeconf.Value{}, map[string]*cloudmap.Namespace{}
	for _, c := range changes {
		rec := c.New
		if rec == nil {
			rec = c.Old
		}
		x.touch(rec, c.New)
		x.apply(rec, c.New)
	}
	d := nodeconf.Delta{Set: nodeconf.Resources{Zones: map[string]nodeconf.Zone{}, Values: map[string]nodeconf.Value{}}}
	for id, n := range x.beforeOf {
		turn(&d, d.Set.Zones, nodeconf.Key{Kind: "Zones", ID: id}, [2]*nodeconf.Zone{of(n), of(x.namespaces[id])})
	}
	for r, before := range x.before {
		after := x.values(r)
		for key, v := range after {
			turn(&d, d.Set.Values, nodeconf.Key{Kind: "Values", ID: key}, [2]*nodeconf.Value{in(before, key), &v})
		}
		for key, was := range before {
			if in(after, key) == nil {
				turn(&d, d.Set.Values, nodeconf.Key{Kind: "Values", ID: key}, [2]*nodeconf.Value{&was, nil})
			}
		}
	}
	x.before, x.beforeOf = nil, nil
	slices.SortFunc(d.Gone, func(a, b nodeconf.Key) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return d
}

// turn tells what became of a zone or value: what it was, and what it is; nil for none.
func turn[T any](d *nodeconf.Delta, set map[string]T, key nodeconf.Key, wasIs [2]*T) {
	switch was, is := wasIs[0], wasIs[1]; {
	case is != nil && (was == nil || !reflect.DeepEqual(was, is)):
		set[key.ID] = *is
	case is == nil && was != nil:
		d.Gone = append(d.Gone, key)
	}
}

func of(n *cloudmap.Namespace) *nodeconf.Zone {
	if z, ok := Of(n); ok {
		return &z
	}
	return nil
}

func in(values map[string]nodeconf.Value, key string) *nodeconf.Value {
	if v, ok := values[key]; ok {
		return &v
	}
	return nil
}

// touch notes what depends on a record, as it is before the record changes.
func (x *Index) touch(rec, next any) {
	switch rec := rec.(type) {
	case *cloudmap.Namespace:
		if _, seen := x.beforeOf[rec.ID]; !seen {
			x.beforeOf[rec.ID] = x.namespaces[rec.ID]
		}
		if was := x.namespaces[rec.ID]; was == nil || next == nil || was.Name != rec.Name || was.Type != rec.Type {
			for s := range x.within[rec.ID] {
				x.touchAll(s)
			}
		}
	case *cloudmap.Service:
		x.touchAll(rec.ID)
	case *cloudmap.Instance:
		x.touchOne(ref{rec.Service, rec.ID})
	case *cloudmap.InstanceHealth:
		x.touchOne(ref{rec.Service, rec.Instance})
	}
}

func (x *Index) touchAll(service string) {
	for id := range x.members[service] {
		x.touchOne(ref{service, id})
	}
}

func (x *Index) touchOne(r ref) {
	if _, seen := x.before[r]; !seen {
		x.before[r] = x.values(r)
	}
}

func (x *Index) values(r ref) map[string]nodeconf.Value {
	m, s := x.members[r.service][r.id], x.services[r.service]
	if s == nil {
		return nil
	}
	return Values(x.namespaces[s.Namespace], s, m.instance, m.health)
}

// apply puts a record, or takes it out when next is nil.
func (x *Index) apply(rec, next any) {
	switch rec := rec.(type) {
	case *cloudmap.Namespace:
		if x.namespaces[rec.ID] = rec; next == nil {
			delete(x.namespaces, rec.ID)
		}
	case *cloudmap.Service:
		if was := x.services[rec.ID]; was != nil {
			within(x.within, was.Namespace, rec.ID, false)
		}
		if x.services[rec.ID] = rec; next == nil {
			delete(x.services, rec.ID)
			return
		}
		within(x.within, rec.Namespace, rec.ID, true)
	case *cloudmap.Instance:
		m := x.members[rec.Service][rec.ID]
		if m.instance = rec; next == nil {
			m.instance = nil
		}
		x.setMember(rec.Service, rec.ID, m)
	case *cloudmap.InstanceHealth:
		m := x.members[rec.Service][rec.Instance]
		if m.health = rec; next == nil {
			m.health = nil
		}
		x.setMember(rec.Service, rec.Instance, m)
	}
}

func within(of map[string]map[string]struct{}, namespace, service string, is bool) {
	if is && of[namespace] == nil {
		of[namespace] = map[string]struct{}{}
	}
	if of[namespace][service] = struct{}{}; !is {
		delete(of[namespace], service)
	}
	if len(of[namespace]) == 0 {
		delete(of, namespace)
	}
}

func (x *Index) setMember(service, id string, m member) {
	if x.members[service] == nil {
		x.members[service] = map[string]member{}
	}
	if x.members[service][id] = m; m == (member{}) {
		delete(x.members[service], id)
	}
	if len(x.members[service]) == 0 {
		delete(x.members, service)
	}
}
