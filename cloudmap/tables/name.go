package tables

import (
	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// TakeNames takes a new namespace's names, or says who has them: no other of its type, and in its VPC, has its name. What DiscoverInstances
// calls it gets a part of its id when another one is called so. 3 keys, read or written.
func TakeNames(tx store.Tx, n *cloudmap.Namespace) error {
	if taken, ok := Names.Get(tx, NameKey(n.Home, cloudmap.Domains, n.ZoneName())); ok {
		has := &cloudmap.Namespace{Name: n.Name, ID: taken.ID}
		if there, ok := Namespaces.Peek(tx, Key(n.Home, taken.ID)); ok {
			has = there
		}
		return has.NamespaceExists()
	}
	n.HTTPName = n.Name
	if _, taken := Names.Get(tx, NameKey(n.Home, cloudmap.HTTPNames, n.Name)); taken {
		n.HTTPName += "-" + n.ID[len(n.ID)-8:]
	}
	Names.Put(tx, &cloudmap.Name{Home: n.Home, Parent: cloudmap.Domains, Name: n.ZoneName(), ID: n.ID})
	Names.Put(tx, &cloudmap.Name{Home: n.Home, Parent: cloudmap.HTTPNames, Name: n.HTTPName, ID: n.ID})
	return nil
}

// GiveNames gives back what TakeNames took. 2 keys.
func GiveNames(tx store.Tx, n *cloudmap.Namespace) {
	Names.Delete(tx, NameKey(n.Home, cloudmap.Domains, n.ZoneName()))
	Names.Delete(tx, NameKey(n.Home, cloudmap.HTTPNames, n.HTTPName))
}

// TakeName takes a new service's name in its namespace, or says who has it. 1 key.
func TakeName(tx store.Tx, n *cloudmap.Namespace, s *cloudmap.Service) error {
	if taken, ok := Names.Get(tx, NameKey(n.Home, n.ID, n.NameOf(s.Name))); ok {
		if has, ok := Services.Get(tx, Key(n.Home, taken.ID)); ok {
			return has.ServiceExists()
		}
	}
	Names.Put(tx, &cloudmap.Name{Home: n.Home, Parent: n.ID, Name: n.NameOf(s.Name), ID: s.ID})
	return nil
}

// PutTags writes the tags of a resource. 1 key.
func PutTags(tx store.Tx, t *cloudmap.Tags) {
	if len(t.Pairs) == 0 {
		Tags.Delete(tx, Key(t.Home, t.Resource))
		return
	}
	Tags.Put(tx, t)
}

// DeleteNamespace forgets a namespace that has no services, or says that it has. 6 keys.
func DeleteNamespace(tx store.Tx, n *cloudmap.Namespace) error {
	if Contains(tx, n.Home, n.ID, ServicesByNamespace.Count(tx, Key(n.Home, n.ID))) {
		return cloudmap.InUse("Namespace has associated services: %s", n.ID)
	}
	GiveNames(tx, n)
	Namespaces.Delete(tx, Key(n.Home, n.ID))
	Tags.Delete(tx, Key(n.Home, n.ID))
	Changes.Delete(tx, Key(n.Home, n.ID))
	return nil
}

// Ask is the API's operation that makes services, which Tokens are kept under.
const Ask = "CreateService"

// DeleteService forgets a service that has no instances, or says that it has. 7 keys.
func DeleteService(tx store.Tx, n *cloudmap.Namespace, s *cloudmap.Service) error {
	if Contains(tx, s.Home, s.ID, InstancesByService.Count(tx, Key(s.Home, s.ID))) {
		return cloudmap.InUse("Service contains registered instances; deregister the instances before deleting the service: %s", s.ID)
	}
	Names.Delete(tx, NameKey(n.Home, n.ID, n.NameOf(s.Name)))
	if s.CreatorRequestID != "" {
		Tokens.Delete(tx, NameKey(s.Home, Ask, s.CreatorRequestID))
	}
	Services.Delete(tx, Key(s.Home, s.ID))
	Attributes.Delete(tx, Key(s.Home, s.ID))
	Tags.Delete(tx, Key(s.Home, s.ID))
	Changes.Delete(tx, Key(s.Home, s.ID))
	return nil
}
