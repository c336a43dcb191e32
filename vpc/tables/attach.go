package tables

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
)

// Limits of one interface.
const (
	MaxGroups  = 5  // security groups, AWS's default
	MaxPrivate = 30 // private IPv4 addresses, and as many IPv6 ones: of AWS's larger instance types
)

// Spec is a wish for an interface.
type Spec struct {
	Home         vpc.Home     // required
	Subnet       string       // required; id
	Groups       []string     // ids; none: the VPC's default group
	Owner        string       // the record it is made for; it goes when that goes
	Node         string       // that it must be on
	Description  string       //
	Type         string       // "interface" when nothing is said
	Requester    string       // RequesterId when another service asks
	Attached     Attached     // to what it is attached from the beginning
	AssignPublic bool         // a public address from Pool, which goes with the interface
	Pool         netip.Prefix // of public addresses
	Prefer       netip.Addr   // of Pool; it is the public address if nobody has it. The zero Addr: any
	Open         bool         // it has no security groups, and everything passes; Groups is empty then
	Tags         []vpc.Pair   // of the client, in order of Key
	ServiceTags  []vpc.Pair   // of the service that asks, in order of Key
	Wanted
}

// Attached is an attachment as it is shown.
type Attached struct {
	Instance    string // "i-..."; "" for what is not an instance
	ID          string // "eni-attach-..."; one is made when Instance is given and this is not
	DeviceIndex int32
	DeleteOnEnd bool
}

// Wanted are the addresses of an interface that are asked for. The zero value asks for one that is free.
type Wanted struct {
	Private   []netip.Addr // the first is the primary one
	Secondary int          // how many more
	IPv6      []netip.Addr
	IPv6Count int
}

// Attach makes an interface, or says in EC2's words why it cannot be: InvalidSubnetID.NotFound, InvalidGroup.NotFound, InvalidParameter (a group
// of another VPC), SecurityGroupsPerInterfaceLimitExceeded, InsufficientFreeAddressesInSubnet, InsufficientAddressCapacity,
// InvalidIPAddress.InUse, InvalidParameterValue, PrivateIpAddressLimitExceeded.
//
// It compares the subnet and the groups (2 keys each) and, without groups, the VPC (1), so that what deletes one of them at the same time makes
// one of the two run again; launches into one subnet share no key. It writes the interface, its tags and its addresses (1 each). With two groups and an
// assigned public address that is 10 keys, 20 at most unless several addresses are asked for.
func Attach(tx store.Tx, s Spec) (*vpc.Interface, error) {
	subnet, ok := Subnets.Get(tx, Key(s.Home, s.Subnet))
	if !ok {
		return nil, refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", s.Subnet)
	}
	Use(tx, s.Home, subnet.ID)
	var groups []string
	if !s.Open {
		var err error
		if groups, err = groupsFor(tx, subnet, s.Groups); err != nil {
			return nil, err
		}
	}
	hex := tx.NewID()
	i := &vpc.Interface{
		Home: s.Home, ID: vpc.ID("eni", hex), VPC: subnet.VPC, Subnet: subnet.ID, Zone: subnet.Zone,
		Description: s.Description, Type: s.Type, SourceCheck: true, Groups: groups, Requester: s.Requester, Owner: s.Owner, Node: s.Node,
		Instance: s.Attached.Instance, Attachment: s.Attached.ID, DeviceIndex: s.Attached.DeviceIndex, DeleteOnEnd: s.Attached.DeleteOnEnd,
		CreatedAt: tx.Now(), ServiceTags: s.ServiceTags,
	}
	if i.Type == "" {
		i.Type = "interface"
	}
	if i.Instance != "" && i.Attachment == "" {
		i.Attachment = vpc.ID("eni-attach", tx.NewID())
	}
	if i.Attachment != "" {
		i.AttachedAt = tx.Now()
	}
	if err := address(tx, subnet, i, s); err != nil {
		return nil, err
	}
	if len(s.Tags) > 0 {
		Tags.Put(tx, &vpc.Tags{Home: s.Home, Resource: i.ID, Pairs: s.Tags})
	}
	v, ok := VPCs.Peek(tx, Key(s.Home, subnet.VPC))
	if !ok {
		return nil, fmt.Errorf("tables: subnet %s is of VPC %s, which is not there", subnet.ID, subnet.VPC)
	}
	i.MAC = vpc.MAC(v.Net, i.Private[0].Addr, hex)
	return i, Interfaces.Create(tx, i)
}

// groupsFor are the groups of an interface of a subnet: those that were asked for, which must be of its VPC, or the VPC's default group.
func groupsFor(tx store.Tx, s *vpc.Subnet, asked []string) ([]string, error) {
	if len(asked) == 0 {
		v, ok := VPCs.Get(tx, Key(s.Home, s.VPC))
		if !ok {
			return nil, fmt.Errorf("tables: subnet %s is of VPC %s, which is not there", s.ID, s.VPC)
		}
		asked = []string{v.DefaultGroup}
	}
	var groups []string
	for _, id := range asked {
		if slices.Contains(groups, id) {
			continue
		}
		g, ok := SecurityGroups.Get(tx, Key(s.Home, id))
		switch {
		case !ok:
			return nil, refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		case g.VPC != s.VPC:
			return nil, refuse("InvalidParameter", "Security group %s and subnet %s belong to different networks.", id, s.ID)
		}
		Use(tx, s.Home, id)
		groups = append(groups, id)
	}
	if len(groups) > MaxGroups {
		return nil, refuse("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	return groups, nil
}

// SetGroups gives an interface other groups. 3 keys a group.
func SetGroups(tx store.Tx, i *vpc.Interface, groups []string) error {
	s, ok := Subnets.Peek(tx, Key(i.Home, i.Subnet))
	if !ok {
		return fmt.Errorf("tables: interface %s is in subnet %s, which is not there", i.ID, i.Subnet)
	}
	groups, err := groupsFor(tx, s, groups)
	if err != nil {
		return err
	}
	changed := *i
	changed.Groups = groups
	Interfaces.Put(tx, &changed)
	return nil
}

// address gives a new interface its addresses.
func address(tx store.Tx, s *vpc.Subnet, i *vpc.Interface, spec Spec) error {
	w := spec.Wanted
	if len(w.Private) == 0 {
		w.Secondary++ // the primary one
	}
	if len(w.IPv6) == 0 && w.IPv6Count == 0 && s.AssignIPv6 {
		w.IPv6Count = 1
	}
	if err := Extend(tx, i, w); err != nil || !spec.AssignPublic {
		return err
	}
	p := &vpc.PublicAddress{Addr: spec.Prefer, Home: i.Home, Owner: i.ID}
	if spec.Prefer.IsValid() && TakeThis(tx, spec.Pool, p) == nil {
		i.Private[0].Public = spec.Prefer
		return nil
	}
	a, err := TakePublic(tx, spec.Pool, i.Home, i.ID)
	i.Private[0].Public = a
	return err
}

// Extend gives an interface, which the caller writes, more addresses. 1 key an address.
func Extend(tx store.Tx, i *vpc.Interface, w Wanted) error {
	s, ok := Subnets.Peek(tx, Key(i.Home, i.Subnet))
	if !ok {
		return fmt.Errorf("tables: interface %s is in subnet %s, which is not there", i.ID, i.Subnet)
	}
	if max(len(i.Private)+len(w.Private)+w.Secondary, len(i.IPv6)+len(w.IPv6)+w.IPv6Count) > MaxPrivate {
		return refuse("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit of %d.", MaxPrivate)
	}
	for _, a := range slices.Concat(w.Private, w.IPv6) {
		if err := take(tx, s, a, i.ID); err != nil {
			return err
		}
	}
	i.IPv6 = slices.Concat(i.IPv6, w.IPv6)
	i.Private = slices.Clone(i.Private)
	for _, a := range w.Private {
		i.Private = append(i.Private, vpc.Private{Addr: a})
	}
	for range w.Secondary {
		a, err := takeAny(tx, s, i.ID)
		if err != nil {
			return err
		}
		i.Private = append(i.Private, vpc.Private{Addr: a})
	}
	for range w.IPv6Count {
		a, err := take6(tx, s, i.ID)
		if err != nil {
			return err
		}
		i.IPv6 = append(i.IPv6, a)
	}
	return nil
}
