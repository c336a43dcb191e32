package tables

import (
	"net/netip"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// NATInterface is the type of the interface of a NAT gateway.
const NATInterface = "nat_gateway"

// AttachNAT makes the interface of a NAT gateway, which the caller writes: it has no security groups, and forwards what is not its own. It
// has a private address that was asked for, if any. Keys as Attach.
func AttachNAT(tx store.Tx, n *vpc.NATGateway, private []netip.Addr) (*vpc.Interface, error) {
	i, err := Attach(tx, Spec{
		Home: n.Home, Subnet: n.Subnet, Owner: n.ID, Description: "Interface for NAT Gateway " + n.ID, Type: NATInterface, Requester: n.Account,
		Attached: Attached{ID: vpc.ID(vpc.ServiceAttachment, tx.NewID()), DeviceIndex: 1}, Wanted: Wanted{Private: private},
	})
	if err != nil {
		return nil, err
	}
	plain := *i
	plain.Groups, plain.SourceCheck = nil, false
	Interfaces.Put(tx, &plain)
	return &plain, nil
}
