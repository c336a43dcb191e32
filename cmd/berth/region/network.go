package region

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/ecs/tables/machine"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/vpc"
	"github.com/berth-ecs/berth/vpc/control"
	vpctables "github.com/berth-ecs/berth/vpc/tables"
	"github.com/berth-ecs/berth/vpc/vpcapi"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// network is the VPC wing as the ECS wing needs it.
type network struct {
	pool netip.Prefix // of public addresses
}

var (
	_ tables.Network = network{}
	_ vpcapi.Nodes   = network{}
	_ control.Owners = network{}
)

// requester is who made the interfaces of tasks.
const requester = "amazon-ecs"

func vpcHome(h ecs.Home) vpc.Home { return vpc.Home{Account: h.Account, Region: h.Region} }

// Find implements tables.Network.
func (network) Find(tx store.Tx, h ecs.Home, subnets, groups []string) ([]ecs.Subnet, []ecs.SecurityGroup) {
	var found []ecs.Subnet
	for _, id := range subnets {
		if s, ok := vpctables.Subnets.Peek(tx, vpctables.Key(vpcHome(h), id)); ok {
			found = append(found, ecs.Subnet{ID: s.ID, VPC: s.VPC, Zone: s.Zone, Free: vpctables.FreeAddresses(tx, s)})
		}
	}
	var known []ecs.SecurityGroup
	for _, id := range groups {
		if g, ok := vpctables.SecurityGroups.Peek(tx, vpctables.Key(vpcHome(h), id)); ok {
			known = append(known, ecs.SecurityGroup{ID: g.ID, VPC: g.VPC})
		}
	}
	return found, known
}

// Attach implements tables.Network.
func (n network) Attach(tx store.Tx, w ecs.InterfaceWish) (*ecs.Interface, error) {
	h := vpcHome(w.Home)
	spec := vpctables.Spec{
		Home: h, Subnet: w.Subnet, Groups: w.Groups, Owner: w.Task, Node: w.Node, Description: w.Attachment, Requester: requester,
		AssignPublic: w.Public, Pool: n.pool, ServiceTags: pairs(w.Tags),
		Attached: vpctables.Attached{Instance: w.EC2, ID: vpc.KindAttachment.NewID(tx.NewID()), DeviceIndex: 1},
	}
	i, err := attach(tx, spec, w.Guise)
	if err != nil {
		return nil, provisioning(err)
	}
	s, _ := vpctables.Subnets.Peek(tx, vpctables.Key(h, i.Subnet))
	v, ok := vpctables.VPCs.Peek(tx, vpctables.Key(h, i.VPC))
	if !ok || s == nil {
		return nil, errors.New("region: an interface without a VPC")
	}
	out := &ecs.Interface{
		ID: i.ID, Subnet: i.Subnet, VPC: i.VPC, MAC: i.MAC, Private: i.Private[0].Addr, IPv6: i.IPv6, Gateway: s.Router(),
	}
	if v.DNSHostnames {
		out.DNSName = vpc.PrivateName(h.Region, out.Private)
	}
	if d, ok := vpctables.DHCPOptions.Peek(tx, vpctables.Key(h, v.DHCPOptions)); ok {
		out.Servers, out.Search = d.Servers(v), d.Search()
	}
	return out, nil
}

// pairs are tags of ECS as EC2 keeps them.
func pairs(tags []shape.Tag) []vpc.Pair {
	var out []vpc.Pair
	for _, t := range tags {
		out = append(out, vpc.Pair{Key: aws.Val(t.Key), Value: aws.Val(t.Value)})
	}
	slices.SortFunc(out, func(a, b vpc.Pair) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// provisioning is a refusal of EC2's in the words of a service that asked it.
func provisioning(err error) error {
	var e *aws.Error
	if !errors.As(err, &e) {
		return err
	}
	return &aws.Error{Code: shape.CodeInvalidParameterException, Message: "Failed to provision ENI: " + e.Message + " (ErrorCode: " + e.Code + ")"}
}

// Release implements tables.Network.
func (network) Release(tx store.Tx, h ecs.Home, id string) {
	vpctables.Release(tx, vpcHome(h), id)
}

// unitsOfCPU is how many CPU units a processor has.
const unitsOfCPU = 1024

// Nodes implements vpcapi.Nodes.
func (network) Nodes(tx store.Tx, h vpc.Home) []vpc.Node {
	var nodes []vpc.Node
	for _, m := range machine.All(tx, ecs.Home{Account: h.Account, Region: h.Region}) {
		n := vpc.Node{
			Home: h, Instance: m.ID, Zone: m.Zone, Connected: m.Connected, Type: m.Type, Architecture: m.Architecture,
			CPUs: int(m.CPU / unitsOfCPU), MemoryMiB: m.MemoryMiB, JoinedAt: m.JoinedAt,
		}
		n.Address, _ = netip.ParseAddr(m.Address) // the zero Addr for one that does not say
		nodes = append(nodes, n)
	}
	return nodes
}

// Owned implements control.Owners. What is no task of Amazon ECS is not judged here.
func (network) Owned(tx store.Tx, i *vpc.Interface) bool {
	if _, ok := ecs.ParseARN(i.Owner); !ok {
		return true
	}
	return tables.Lives(tx, i.Owner)
}

// Tables implements control.Owners: an owner is a task.
func (network) Tables() []string { return []string{tables.TaskStatuses.Name()} }

// Ended implements control.Owners.
func (network) Ended(c store.Change) (vpc.Home, string, bool) {
	old, now, ok := tables.TaskStatuses.Of(c)
	if !ok || old == nil || now != nil && now.LastStatus != ecs.TaskStopped {
		return vpc.Home{}, "", false
	}
	return vpcHome(old.Home), old.TaskARN(old.Cluster, old.ID), true
}
