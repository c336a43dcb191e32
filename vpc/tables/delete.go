package tables

import (
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// UnusedVPC says why a VPC cannot be deleted, in EC2's words: nothing may be left in it but what it was made with.
func UnusedVPC(tx store.Tx, h vpc.Home, id string) (*vpc.VPC, error) {
	v, err := VPC(tx, h, id)
	if err != nil {
		return nil, err
	}
	if SubnetsByVPC.Count(tx, v.ID) > 0 || GatewaysByVPC.Count(tx, v.ID) > 0 || RouteTablesByVPC.Count(tx, v.ID) > 1 ||
		ACLsByVPC.Count(tx, v.ID) > 1 || GroupsByVPC.Count(tx, v.ID) > 1 {
		return nil, vpc.KindVPC.Dependent(id)
	}
	return v, nil
}

// TrimRules deletes rules of a group until few are left. It has to be called again while there are more. Writes up to 80 keys.
func TrimRules(tx store.Tx, h vpc.Home, group string) (more bool) {
	n := 0
	for _, r := range Rules.List(tx, At(h).Prefix(group), "") {
		if n++; n > MaxDropped && n <= 2*MaxDropped {
			DropRule(tx, r)
		}
	}
	return n > 2*MaxDropped
}

// DeleteVPC deletes a VPC with what it was made with; its default group must have been trimmed. Writes up to 90 keys.
func DeleteVPC(tx store.Tx, v *vpc.VPC) {
	for _, r := range Rules.List(tx, At(v.Home).Prefix(v.DefaultGroup), "") {
		DropRule(tx, r)
	}
	for _, made := range []string{v.ID, v.MainTable, v.MainACL, v.DefaultGroup} {
		Tags.Delete(tx, Key(v.Home, made))
	}
	RouteTables.Delete(tx, Key(v.Home, v.MainTable))
	ACLs.Delete(tx, Key(v.Home, v.MainACL))
	SecurityGroups.Delete(tx, Key(v.Home, v.DefaultGroup))
	for _, counted := range []string{v.ID, v.DefaultGroup} { // the group's since its rules were changed
		Changes.Delete(tx, Key(v.Home, counted))
	}
	VPCs.Delete(tx, Key(v.Home, v.ID))
}

// DeleteSubnet deletes a subnet that no interface is in. Its addresses rest on and are swept. Writes 5 keys.
func DeleteSubnet(tx store.Tx, s *vpc.Subnet) {
	Changed(tx, s.Home, s.VPC)
	for _, kind := range []string{vpc.OfTable, vpc.OfACL} {
		Associations.Delete(tx, AssociationKey(s.Home, kind, s.ID))
	}
	Tags.Delete(tx, Key(s.Home, s.ID))
	Subnets.Delete(tx, Key(s.Home, s.ID))
}
