package tables

import (
	"iter"

	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// Namespace answers the namespace of an id or ARN, guarded, or AWS's error.
func Namespace(tx store.Tx, h cloudmap.Home, idOrARN string) (*cloudmap.Namespace, error) {
	if id, ok := local(h, cloudmap.KindNamespace, idOrARN); ok {
		if n, ok := Namespaces.Get(tx, Key(h, id)); ok {
			return n, nil
		}
	}
	return nil, cloudmap.NoNamespace(idOrARN)
}

// Service answers the service of an id or ARN, guarded, or AWS's error.
func Service(tx store.Tx, h cloudmap.Home, idOrARN string) (*cloudmap.Service, error) {
	if id, ok := local(h, cloudmap.KindService, idOrARN); ok {
		if s, ok := Services.Get(tx, Key(h, id)); ok {
			return s, nil
		}
	}
	return nil, cloudmap.NoService(idOrARN)
}

// local is an id that can be a part of a key.
func local(h cloudmap.Home, kind, idOrARN string) (string, bool) {
	id, ok := h.Local(kind, idOrARN)
	return id, ok && Keyable(id)
}

// Keyable says whether an id that a client wrote can be a part of a key.
func Keyable(id string) bool {
	for _, c := range id {
		if c == '/' {
			return false
		}
	}
	return id != ""
}

// Instance answers an instance of a service, guarded, or AWS's error.
func Instance(tx store.Tx, s *cloudmap.Service, id string) (*cloudmap.Instance, error) {
	if id != "" {
		if i, ok := Instances.Get(tx, InstanceKey(s.Home, s.ID, id)); ok {
			return i, nil
		}
	}
	return nil, cloudmap.NoInstance(s.ID, id)
}

// FindNamespace answers the namespace that DiscoverInstances knows by a name, without a guard, or AWS's error.
func FindNamespace(tx store.Tx, h cloudmap.Home, httpName string) (*cloudmap.Namespace, error) {
	if name, ok := Names.Peek(tx, NameKey(h, cloudmap.HTTPNames, httpName)); ok {
		if n, ok := Namespaces.Peek(tx, Key(h, name.ID)); ok {
			return n, nil
		}
	}
	return nil, cloudmap.NoNamespace(httpName)
}

// FindService answers the service of a namespace by its name, without a guard, or AWS's error.
func FindService(tx store.Tx, n *cloudmap.Namespace, name string) (*cloudmap.Service, error) {
	if taken, ok := Names.Peek(tx, NameKey(n.Home, n.ID, n.NameOf(name))); ok {
		if s, ok := Services.Peek(tx, Key(n.Home, taken.ID)); ok && s.Name == name {
			return s, nil
		}
	}
	return nil, cloudmap.NoService(name)
}

// Status is how far an operation is; the zero value of the record's Status is SUBMITTED.
func Status(tx store.Tx, o *cloudmap.Operation) cloudmap.OperationStatus {
	if s, ok := Statuses.Peek(tx, OperationKey(o.Home, o.ID)); ok {
		return *s
	}
	return cloudmap.OperationStatus{Home: o.Home, Operation: o.ID, Status: "SUBMITTED", At: o.CreatedAt}
}

// Health is an instance's health as Cloud Map tells it, without a guard.
func Health(tx store.Tx, s *cloudmap.Service, i *cloudmap.Instance) string {
	h, _ := Healths.Peek(tx, InstanceKey(i.Home, i.Service, i.ID))
	return s.Health(i, h)
}

// InstancesIn yields the instances of a service in the order of their keys.
func InstancesIn(tx store.Tx, s *cloudmap.Service) iter.Seq2[string, *cloudmap.Instance] {
	return Instances.List(tx, InstancesOf(s.Home, s.ID), "")
}

// Revision is the revision of a service's instances: it grows with each that comes or goes.
func Revision(tx store.Tx, s *cloudmap.Service) int64 { return Changes.Revision(tx, Key(s.Home, s.ID)) }
