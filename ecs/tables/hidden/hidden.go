// Package hidden launches and finds tasks that work for other wings and that no client sees: the nodes of load balancers.
//
// Guarantees: as those of tables. Such tasks are of a cluster and a family whose names no request can have, so nothing can be done to them but through
// here; what concerns tasks in general (reports, ledgers, interfaces, the end of a host) concerns them.
package hidden

import (
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Wish is a wish for a task that works for another wing, as a node of a load balancer.
type Wish struct {
	Home           ecs.Home // required
	Owner          string   // required; whom it works for: Tasks finds it by that
	Group          string   // required; tasks of a group are kept apart where there is room for that
	Subnet         string   // required
	SecurityGroups []string
	Public         bool
	Guise          ecs.Guise
}

// Launch places a hidden task on capacity that nodes offer to FARGATE, or says in refusal why it has no place. The cluster and the task
// definition are made with the first one of a home. It compares and writes what one task of tables.Launch does, and 2 keys more.
//
// Errors are as those of tables.Launch; subnets and groups that are gone are among them.
func Launch(tx store.Tx, w tables.Wings, t Wish) (made *ecs.Task, refusal *launch.Failure, err error) {
	d := definition(tx, t.Home)
	public := shape.AssignPublicIpDisabled
	if t.Public {
		public = shape.AssignPublicIpEnabled
	}
	r, err := tables.TryLaunch(tx, w, launch.Spec{
		Home: t.Home, Cluster: launch.HiddenBalancers, Definition: d, Count: 1, Group: t.Group, StartedBy: t.Owner,
		LaunchType: shape.LaunchTypeFargate, Guise: &t.Guise,
		Network: &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{
			Subnets: []string{t.Subnet}, SecurityGroups: t.SecurityGroups, AssignPublicIp: aws.Ptr(public),
		}},
	})
	switch {
	case err != nil:
		return nil, nil, err
	case len(r.Tasks) == 1:
		return r.Tasks[0], nil, nil
	}
	why := launch.Failure{Reason: ecs.NoCapacity}
	if len(r.Failures) > 0 {
		why = r.Failures[0]
	}
	if r.Refusal != nil && r.Refusal.Reason == place.Attribute && lacksProxy(tx, t.Home) {
		why = launch.Failure{Reason: ecs.NoCapacity, Detail: "No node has a proxy."}
	}
	return nil, &why, nil
}

// lacksProxy says whether no node that offers its capacity has a proxy.
func lacksProxy(tx store.Tx, h ecs.Home) bool {
	for _, i := range tables.FargateHosts.List(tx, tables.At(h).Prefix(), "") {
		if _, ok := place.AttributeOf(i.Attributes, launch.ProxyAttribute); ok {
			return false
		}
	}
	return true
}

// definition is what hidden tasks of a home are made of; it is made, and so is their cluster, when it is first needed.
func definition(tx store.Tx, h ecs.Home) *ecs.TaskDefinition {
	if _, ok := tables.Clusters.Get(tx, tables.ClusterKey(h, launch.HiddenBalancers)); !ok {
		tables.Clusters.Put(tx, &ecs.Cluster{Home: h, Name: launch.HiddenBalancers, Status: ecs.ClusterActive})
	}
	d := launch.HiddenDefinition(h)
	if old, ok := tables.TaskDefinitions.Get(tx, tables.RevisionKey(h, d.Family, d.Revision)); ok {
		return old
	}
	tables.TaskDefinitions.Put(tx, d)
	return d
}

// Tasks yields the tasks of an owner, those that are STOPPED and not yet forgotten too. Nothing is compared.
func Tasks(tx store.Tx, h ecs.Home, owner string) iter.Seq2[string, ecs.TaskView] {
	return func(yield func(string, ecs.TaskView) bool) {
		for key := range tables.TasksByStartedBy.List(tx, tables.ClusterKey(h, launch.HiddenBalancers)+"/"+owner, "") {
			if v, ok := tables.PeekTask(tx, key); ok && !yield(key, v) {
				return
			}
		}
	}
}
