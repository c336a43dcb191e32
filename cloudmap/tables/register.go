package tables

import (
	"cmp"
	"maps"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// Registration is what is known of an instance when it is registered.
type Registration struct {
	cloudmap.Home
	Service          string // required; ID
	Instance         string // required
	Attributes       map[string]string
	Owner            string // optional; what it stands for, of another wing
	CreatorRequestID string // optional
}

// MaxInstances is how many instances a service has at most.
const MaxInstances = 1000

// RegisterInstance registers an instance, or replaces its attributes: what was known of its health is forgotten when they change. It says whether
// anything changed. The service is compared, so that it is there when this commits. 3 keys, read or written.
func RegisterInstance(tx store.Tx, r Registration) (changed bool, err error) {
	s, err := Service(tx, r.Home, r.Service)
	if err != nil {
		return false, err
	}
	n, ok := Namespaces.Peek(tx, Key(s.Home, s.Namespace))
	if !ok {
		return false, cloudmap.NoNamespace(s.Namespace)
	}
	if err := check(s, n, r.Instance, r.Attributes); err != nil {
		return false, err
	}
	key := InstanceKey(s.Home, s.ID, r.Instance)
	was, there := Instances.Get(tx, key)
	same := there && maps.Equal(was.Attributes, r.Attributes) && was.Owner == r.Owner
	if same && was.CreatorRequestID == r.CreatorRequestID {
		return false, nil
	}
	if err := Room(tx, s, r.Instance); err != nil {
		return false, err
	}
	Instances.Put(tx, &cloudmap.Instance{Home: s.Home, Service: s.ID, ID: r.Instance, Attributes: r.Attributes,
		CreatorRequestID: r.CreatorRequestID, Owner: r.Owner, RegisteredAt: tx.Now()})
	if !same {
		Healths.Delete(tx, key)
	}
	Touch(tx, s.Home, s.ID)
	return true, nil
}

func check(s *cloudmap.Service, n *cloudmap.Namespace, id string, attributes map[string]string) error {
	return cmp.Or(s.CheckID(n, id), s.CheckAttributes(n, attributes))
}

// Ref names an instance.
type Ref struct {
	cloudmap.Home
	Service  string // ID
	Instance string // ID
}

// DeregisterInstance forgets an instance, or answers AWS's error when there is none. Whose it is, the caller has looked at. 3 keys.
func DeregisterInstance(tx store.Tx, r Ref) error {
	key := InstanceKey(r.Home, r.Service, r.Instance)
	if _, ok := Instances.Get(tx, key); !ok {
		return cloudmap.NoInstance(r.Service, r.Instance)
	}
	Instances.Delete(tx, key)
	Healths.Delete(tx, key)
	Touch(tx, r.Home, r.Service)
	return nil
}

// SetHealth says at once how an instance is, for those who judge themselves. It says whether anything changed. 3 keys, read or written.
func SetHealth(tx store.Tx, r Ref, status string) (changed bool, err error) {
	s, err := Service(tx, r.Home, r.Service)
	if err != nil {
		return false, err
	}
	i, err := Instance(tx, s, r.Instance)
	if err != nil {
		return false, err
	}
	was, _ := Healths.Get(tx, InstanceKey(r.Home, r.Service, r.Instance))
	if s.Health(i, was) == status {
		return false, nil
	}
	Healths.Put(tx, &cloudmap.InstanceHealth{Home: r.Home, Service: r.Service, Instance: r.Instance, Status: status, At: tx.Now()})
	return true, nil
}

// Touch makes a new revision of what a service or namespace holds. 1 key, written without being compared: so nobody waits for anybody.
func Touch(tx store.Tx, h cloudmap.Home, of string) {
	Changes.Put(tx, &cloudmap.Changes{Home: h, Of: of, By: tx.NewID()})
}

// Contains is for whoever deletes what must be empty: it compares that nothing is added until this commits. 1 key.
func Contains(tx store.Tx, h cloudmap.Home, of string, count int) bool {
	Changes.Get(tx, Key(h, of))
	return count > 0
}

// Room says whether a service takes one more instance, unless it has it already.
func Room(tx store.Tx, s *cloudmap.Service, instance string) error {
	if _, there := Instances.Get(tx, InstanceKey(s.Home, s.ID, instance)); there || InstancesByService.Count(tx, Key(s.Home, s.ID)) < MaxInstances {
		return nil
	}
	return full(s)
}

func full(s *cloudmap.Service) error {
	return cloudmap.Limit("Service %s has %d instances, as many as it can have", s.ID, MaxInstances)
}
