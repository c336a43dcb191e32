package ecsapi

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RegisterContainerInstance makes a container instance, or, given its ARN, registers
// it again: its agent restarted. A call that comes twice, by its token, makes one. Every attribute that was sent is answered with the
// same value, as agents insist. The machine's ledger is made or takes the new total;
// what tasks hold stays booked.
func (a *API) RegisterContainerInstance(ctx context.Context, c wire.Call, in *shape.RegisterContainerInstanceRequest) (*shape.RegisterContainerInstanceResponse, error) {
	r, err := request.ReadRegistration(in)
	if err != nil {
		return nil, err
	}
	o, err := once(c, in.ClientToken, 64, in)
	if err != nil {
		return nil, err
	}
	var out shape.ContainerInstance
	err = a.store.Update(ctx, func(tx store.Tx) error {
		k, err := activeCluster(tx, home(c), in.Cluster)
		switch {
		case errors.Is(err, errClusterNotFound):
			return errNoCluster
		case errors.Is(err, errClusterInactive):
			return errNoActiveCluster
		case err != nil:
			return err
		}
		i, err := a.instanceOf(tx, k, in, r, o)
		if err != nil {
			return err
		}
		if !mine(c, i.Node) || !mine(c, r.Node) {
			return notMine(c, i.ARN())
		}
		tables.Instances.Put(tx, i)
		if err := activate(tx, i); err != nil {
			return err
		}
		bookable(tx, i)
		o.Remember(tx, i.ARN())
		out = describeInstance(tx, i, []string{shape.ContainerInstanceFieldTags})
		return nil
	})
	return &shape.RegisterContainerInstanceResponse{ContainerInstance: &out}, err
}

// instanceOf makes the record of a registration, over the one of before if there is
// one.
func (a *API) instanceOf(
	tx store.Tx, k *ecs.Cluster, in *shape.RegisterContainerInstanceRequest, r request.Registration, o tables.Once,
) (*ecs.Instance, error) {
	if foreign(tx, k, r.Node) {
		return nil, request.Invalid("The node '%s' belongs to another account.", r.Node)
	}
	id, err := identify(tx, k, aws.Val(in.ContainerInstanceArn), r.Node, o)
	if err != nil {
		return nil, err
	}
	i := &ecs.Instance{Home: k.Home, Cluster: k.Name, ID: id, RegisteredAt: tx.Now()}
	old, known := tables.Instances.Get(tx, tables.MemberKey(k.Home, k.Name, i.ID))
	if known {
		if old.LaunchType != r.LaunchType {
			return nil, errInstanceType
		}
		*i = *old
	} else {
		// An instance stays in the ledger it began in: its tasks are booked there.
		i.Node = cmp.Or(r.Node, i.ID)
	}
	i.EC2InstanceID, i.LaunchType, i.VersionInfo = r.EC2InstanceID, r.LaunchType, in.VersionInfo
	if i.EC2InstanceID == "" && r.Node != "" && r.LaunchType == shape.LaunchTypeEc2 {
		i.EC2InstanceID = ecs.MachineID(i.Region, r.Node)
	}
	if len(r.Resources) > 0 || !known {
		i.Resources = r.Resources
	}
	i.Attributes = r.Attributes(i.Attributes, a.zone(k.Region))
	if err := a.inRegion(r.Node, i); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 || !known {
		i.Tags = in.Tags
	}
	return i, nil
}

// inRegion refuses a node of berth's own in a zone that the region has not: subnets could not be there. Other agents take their zones from elsewhere.
func (a *API) inRegion(node string, i *ecs.Instance) error {
	zones := a.zones(i.Region)
	for _, x := range i.Attributes {
		if z := aws.Val(x.Value); node != "" && aws.Val(x.Name) == place.Zone && len(zones) > 0 && !slices.Contains(zones, z) {
			return request.Invalid("The node's zone '%s' is not one of the zones of %s: %s. Zones are given to servers, by the setting zones.", z, i.Region, strings.Join(zones, ", "))
		}
	}
	return nil
}

// identify answers which instance registers: the one it names, the one that an earlier
// call with its token made, the one that its node is already, or a new one.
func identify(tx store.Tx, k *ecs.Cluster, arn, node string, o tables.Once) (string, error) {
	if arn != "" {
		return request.MemberID(k.Home, k.Name, "container-instance", arn)
	}
	made, _, _ := o.Before(tx)
	for _, arn := range made {
		if id := ecs.ShortID(arn); arn == k.InstanceARN(k.Name, id) && tables.Listened(tx, tables.MemberKey(k.Home, k.Name, id)) {
			return id, nil
		}
	}
	if id, ok := registered(tx, k, node); ok {
		return id, nil
	}
	return tx.NewID(), nil
}

// foreign says whether a node is a container instance of another account: what it has left is for that to book.
func foreign(tx store.Tx, k *ecs.Cluster, node string) bool {
	if node == "" {
		return false
	}
	for key, i := range tables.InstancesByNode.List(tx, tables.LedgerKey(k.Region, node), "") {
		if i.Account != k.Account && tables.Listened(tx, key) {
			return true
		}
	}
	return false
}

// registered finds the instance that a berth node already is in a cluster: it did not
// get the answer to its registration. One whose agent has been there had its answer: it
// has lost its memory, and its tasks with it, so that instance is over. The node's ledger,
// which every registration writes, keeps two at once from missing each other.
func registered(tx store.Tx, k *ecs.Cluster, node string) (id string, ok bool) {
	if node == "" {
		return "", false
	}
	for key, i := range tables.InstancesByNode.List(tx, tables.LedgerKey(k.Region, node), "") {
		if i.Home != k.Home || i.Cluster != k.Name || !tables.Listened(tx, key) {
			continue
		}
		s, _ := tables.InstanceStates.Get(tx, key)
		if s.ConnectedAt.IsZero() {
			return i.ID, true
		}
		tables.Deregister(tx, s, "The node registered anew and knows nothing of this container instance.")
	}
	return "", false
}

// activate makes the state of a new instance. One that is known goes on as it is, a
// DRAINING one draining; a deregistered one does not come back.
func activate(tx store.Tx, i *ecs.Instance) error {
	s, known := tables.InstanceStates.Get(tx, tables.MemberKey(i.Home, i.Cluster, i.ID))
	if known && s.Status == ecs.InstanceInactive {
		return &aws.Error{Code: shape.CodeClientException, Message: "Container instance " + i.ID + " is inactive."}
	}
	if !known {
		tables.InstanceStates.Put(tx, &ecs.InstanceState{Home: i.Home, Cluster: i.Cluster, ID: i.ID, Status: ecs.InstanceActive, Version: 1})
	}
	return nil
}

// bookable gives the instance's node a ledger with the registered total.
func bookable(tx store.Tx, i *ecs.Instance) {
	next := i.FirstLedger()
	if l, ok := tables.Ledgers.Get(tx, tables.LedgerKey(i.Region, i.Node)); ok {
		next.Used = l.Used
	}
	tables.Ledgers.Put(tx, next)
}
