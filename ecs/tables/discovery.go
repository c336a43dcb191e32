package tables

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Discovery is what this wing needs of service discovery. Its methods do no other I/O than through the transaction, so that a task is found
// from the moment it runs and not a moment longer than it should.
type Discovery interface {
	// Registry answers the one that an ARN names; false when there is none. It compares it (1 key).
	Registry(tx store.Tx, h ecs.Home, arn string) (ecs.Registry, bool)
	// Keep registers a task or, where it is registered, makes what is known of it so. It compares at most 4 keys and writes at most 4, and
	// nothing when it is so already. The error is for people: it says what service discovery has against it.
	Keep(tx store.Tx, r ecs.Registration) error
	// Drop ends the registration that Home, Registry and ID name, whatever clients have made of it since; one that is gone is no error.
	// It compares at most 2 keys and writes at most 4.
	Drop(tx store.Tx, r ecs.Registration)
}

// DropWrites is how many keys the end of a task's registration writes at most.
const DropWrites = 4

// Wings are the other wings as the transactions of this one need them. Each may be nil where no task needs it.
type Wings struct {
	Network
	Discovery
	Balancing
	*Tally // optional: what stops say of targets is counted there, and said by who counts
}

// Registries finds the service registries of a request for a service with a task definition, or says in AWS's words what is wrong with them.
// They have passed request.CheckRegistries. Compares each (1 key).
func Registries(tx store.Tx, d Discovery, t *ecs.TaskDefinition, rs []shape.ServiceRegistry) error {
	for _, r := range rs {
		if d == nil {
			return request.NoRegistry(r)
		}
		as, ok := d.Registry(tx, t.Home, aws.Val(r.RegistryArn))
		if !ok {
			return request.NoRegistry(r)
		}
		if err := request.CheckRegistry(r, as, &t.Document); err != nil {
			return err
		}
	}
	return nil
}

// Announce makes what service discovery knows of a task agree with the task, as this transaction has left it. It answers why it could not: the
// task goes on, and whoever follows registries tries again. A task without registries costs nothing.
// Compares the registry and writes what Discovery says.
func Announce(tx store.Tx, d Discovery, v ecs.TaskView) error {
	if d == nil {
		return nil
	}
	var failed error
	for _, r := range v.Registries {
		if err := announce(tx, d, v, r); err != nil {
			failed = err
		}
	}
	return failed
}

func announce(tx store.Tx, d Discovery, v ecs.TaskView, r shape.ServiceRegistry) error {
	if !v.Running() {
		d.Drop(tx, ecs.Registration{Home: v.Home, Registry: aws.Val(r.RegistryArn), ID: v.ID, Task: v.ARN()})
		return nil
	}
	reg, ok, err := registration(tx, d, v, r)
	if err != nil || !ok {
		return err
	}
	return d.Keep(tx, reg)
}

// registration is what service discovery should hold of a task in a registry, which it compares (1 key).
func registration(tx store.Tx, d Discovery, v ecs.TaskView, r shape.ServiceRegistry) (ecs.Registration, bool, error) {
	as, ok := d.Registry(tx, v.Home, aws.Val(r.RegistryArn))
	if !ok {
		return ecs.Registration{}, false, request.NoRegistry(r)
	}
	return v.Registered(r, as, hostAddress(tx, v.Task))
}

// SamePlace says whether two states of a container instance are the same to who looks for its tasks.
func SamePlace(a, b *ecs.Instance) bool {
	return addressOf(a) == addressOf(b) && a.EC2InstanceID == b.EC2InstanceID
}

// hostAddress is where a task is reached that has no interface of its own.
func hostAddress(tx store.Tx, t *ecs.Task) ecs.HostAddress {
	var at ecs.HostAddress
	i, ok := Instances.Peek(tx, HostKey(t.Home, t.RunsOn()))
	if !ok {
		return at
	}
	if t.Instance != "" { // on FARGATE nobody is told what runs the task
		at.EC2 = i.EC2InstanceID
	}
	if t.Interface != nil {
		return at
	}
	at.Address = addressOf(i)
	if d, ok := TaskDefinitions.Peek(tx, RevisionKey(t.Home, t.Family, t.Revision)); ok {
		at.Mode = aws.Val(d.Document.NetworkMode)
	}
	return at
}

// AddressAttribute is where a berth node says its address on the machines' network.
const AddressAttribute = "berth.node-address"

func addressOf(i *ecs.Instance) string {
	v, _ := place.AttributeOf(i.Attributes, AddressAttribute)
	return v
}
