package tables

import (
	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// Refusal is why an instance of an id, with some attributes, cannot be registered in a service that does not have it; nil when nothing speaks against it.
// Nothing is compared: it is for those who tell why.
func Refusal(tx store.Tx, s *cloudmap.Service, id string, attributes map[string]string) error {
	n, ok := Namespaces.Peek(tx, Key(s.Home, s.Namespace))
	if !ok {
		return cloudmap.NoNamespace(s.Namespace)
	}
	if err := check(s, n, id, attributes); err != nil {
		return err
	}
	if InstancesByService.Count(tx, Key(s.Home, s.ID)) >= MaxInstances {
		return full(s)
	}
	return nil
}
