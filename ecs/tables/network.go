package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Network is what this wing needs of virtual networks. Its methods do no other I/O than through the transaction, so that a task, what it holds
// of its node, and its interface with its address are there together or not at all.
type Network interface {
	// Find answers those of some subnets and security groups that exist, in order. Nothing is compared.
	Find(tx store.Tx, h ecs.Home, subnets, groups []string) ([]ecs.Subnet, []ecs.SecurityGroup)
	// Attach makes the interface of a task, with an address that is free. It compares the subnet and the groups, which any number of launches
	// share, and compares and writes at most 3 keys of its own.
	Attach(tx store.Tx, w ecs.InterfaceWish) (*ecs.Interface, error)
	// Release ends an interface and what it has; one that is gone already is no error. It compares and writes at most 4 keys.
	Release(tx store.Tx, h ecs.Home, id string)
}

// Subnets finds the subnets of a network configuration that has passed request.Network, or says in AWS's words what of it does not exist. No
// configuration has none.
func Subnets(tx store.Tx, n Network, h ecs.Home, c *shape.NetworkConfiguration) ([]ecs.Subnet, error) {
	if c == nil {
		return nil, nil
	}
	subnets, groups := n.Find(tx, h, c.AwsvpcConfiguration.Subnets, c.AwsvpcConfiguration.SecurityGroups)
	return subnets, request.CheckFound(c.AwsvpcConfiguration, subnets, groups)
}

// attach makes the interface of a new task in the best of the subnets in its zone, which then has an address less. Of the task's tags it gets
// those of enableECSManagedTags, as on ECS.
func (b *booking) attach(t *ecs.Task, i *ecs.Instance) error {
	if len(b.subnets) == 0 {
		return nil
	}
	tx, subnets := b.tx, b.subnets
	at := ecs.SubnetIn(subnets, t.Zone)
	if at < 0 { // placement looked
		return &noAddressError{t.Zone}
	}
	id := launch.UUID(tx.NewID())
	made, err := b.wings.Attach(tx, ecs.InterfaceWish{
		Home: t.Home, Subnet: subnets[at].ID, Groups: t.Network.AwsvpcConfiguration.SecurityGroups, Attachment: t.AttachmentARN(id),
		Task: t.ARN(), Node: i.Node, EC2: shownMachine(t, i), Public: aws.Val(t.Network.AwsvpcConfiguration.AssignPublicIp) == shape.AssignPublicIpEnabled,
		Tags: request.OwnTags(b.spec.Tags), Guise: b.spec.Guise,
	})
	if err != nil {
		return err
	}
	subnets[at].Free--
	made.Attachment = id
	t.Interface = made
	return nil
}

// shownMachine is the EC2 instance that a task's interface is shown attached to: none on FARGATE.
func shownMachine(t *ecs.Task, i *ecs.Instance) string {
	if t.Instance == "" {
		return ""
	}
	return i.EC2InstanceID
}

// noAddressError is a zone without a free address.
type noAddressError struct{ zone string }

func (e *noAddressError) Error() string {
	return "tables: no subnet in " + e.zone + " has a free address"
}

// TasksByAttachment: the ARN of the attachment of a task's interface.
var TasksByAttachment = store.NewIndex(Tasks, "attachment", func(t *ecs.Task) []string {
	if t.Interface == nil {
		return nil
	}
	return []string{t.AttachmentARN(t.Interface.Attachment)}
})
