package ecsapi

import (
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// A node's keys are good for its own container instances and for the tasks on them: whoever takes a node takes what runs there, and
// nothing beside. AWS leaves that to policies.

// mine tells whether a caller may act for a node.
func mine(c wire.Call, node string) bool { return c.Machine == "" || c.Machine == node }

// myTask tells whether a caller may act for a task (by MemberKey); that there is none is for others to say.
func myTask(tx store.Tx, c wire.Call, key string) bool {
	if c.Machine == "" {
		return true
	}
	t, ok := tables.Tasks.Peek(tx, key)
	return !ok || mine(c, t.Node)
}

// myInstance refuses a container instance (by MemberKey) of another node.
func myInstance(tx store.Tx, c wire.Call, key string) error {
	if c.Machine == "" {
		return nil
	}
	if i, ok := tables.Instances.Peek(tx, key); ok && !mine(c, i.Node) {
		return notMine(c, i.ARN())
	}
	return nil
}

// notMine is the refusal.
func notMine(c wire.Call, arn string) error {
	return newError(shape.CodeAccessDeniedException, "User: "+c.Principal+" is not authorized to perform: ecs:"+c.Operation+" on resource: "+arn+
		" because it is not of the node that the keys were given to")
}

// myResource refuses what is neither a task nor a container instance of the node that asks.
func myResource(tx store.Tx, c wire.Call, ref *string) error {
	if c.Machine == "" {
		return nil
	}
	a, ok := ecs.ParseARN(aws.Val(ref))
	if !ok || a.Home != home(c) || len(a.Parts) != 2 || a.Kind != "task" && a.Kind != "container-instance" {
		return notMine(c, aws.Val(ref))
	}
	key := tables.MemberKey(a.Home, a.Parts[0], a.Parts[1])
	if a.Kind == "container-instance" {
		return myInstance(tx, c, key)
	}
	if !myTask(tx, c, key) {
		return notMine(c, aws.Val(ref))
	}
	return nil
}
