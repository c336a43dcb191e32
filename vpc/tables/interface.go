package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Indexes of interfaces. Values are ids, which are unique; OwnerKey for owners.
var (
	InterfacesBySubnet = store.NewIndex(Interfaces, "subnet", func(i *vpc.Interface) []string { return []string{i.Subnet} })
	InterfacesByVPC    = store.NewIndex(Interfaces, "vpc", func(i *vpc.Interface) []string { return []string{i.VPC} })
	InterfacesByGroup  = store.NewIndex(Interfaces, "group", func(i *vpc.Interface) []string { return i.Groups })
	InterfacesByOwner  = store.NewIndex(Interfaces, "owner", func(i *vpc.Interface) []string {
		if i.Owner == "" {
			return nil
		}
		return []string{OwnerKey(i.Home, i.Owner)}
	})
	// InterfacesWithServiceTags: under the home that they are of, as All says it.
	InterfacesWithServiceTags = store.NewIndex(Interfaces, "servicetags", func(i *vpc.Interface) []string {
		if len(i.ServiceTags) == 0 {
			return nil
		}
		return []string{All(i.Home)}
	})
	InterfacesByAttachment = store.NewIndex(Interfaces, "attachment", func(i *vpc.Interface) []string { return some(i.Attachment) })
)

// OwnerKey is the value of an owner in InterfacesByOwner.
func OwnerKey(h vpc.Home, owner string) string { return h.Account + " " + h.Region + " " + owner }
