package tables

import (
	"github.com/berth-ecs/berth/cloudmap"
	"github.com/berth-ecs/berth/store"
)

// Refusal is why an instance with an id and attributes cannot be registered in a service that does not have it; nil when nothing speaks against it.
func Refusal(tx store.Tx, s *cloudmap.Service, instance string, attributes map[string]string) error {
	n, ok := Namespaces.Peek(tx, Key(s.Home, s.Namespace))
	if !ok {
		return cloudmap.NoNamespace(s.Namespace)
	}
	if err := s.CheckAttributes(n, attributes); err != nil {
		return err
	}
	return Room(tx, s, instance)
}
