package tables

import (
	"iter"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// HiddenTask is a wish for a task that works for another wing, as a node of a load balancer.
type HiddenTask struct {
	Home           ecs.Home // required
	Owner          string   // required; whom it works for: HiddenTasks finds it by that
	Group          string   // required; tasks of a group are kept apart where there is room for that
	Subnet         string   // required
	SecurityGroups []string
	Public         bool
	Guise          ecs.Guise
}

// LaunchHidden places a hidden task on capacity that nodes offer to FARGATE, or says in refusal why it has no place. The cluster and the task
// definition are made with the first one of a home. It compares and writes what one task of Launch does, and 2 keys more.
//
// Errors are as those of Launch; subnets and groups that are gone are among them.
func LaunchHidden(tx store.Tx, w Wings, t HiddenTask) (made *ecs.Task, refusal *launch.Failure, err error) {
	d := hiddenDefinition(tx, t.Home)
	public := shape.AssignPublicIpDisabled
	if t.Public {
		public = shape.AssignPublicIpEnabled
	}
	r, err := TryLaunch(tx, w, launch.Spec{
		Home: t.Home, Cluster: ecs.HiddenBalancers, Definition: d, Count: 1, Group: t.Group, StartedBy: t.Owner,
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
	if r.Refusal != nil {
		why = shortage(r.Refusal)
		if r.Refusal.Reason == place.Attribute && lacksProxy(tx, t.Home) {
			why = launch.Failure{Reason: ecs.NoCapacity, Detail: "No node has a proxy."}
		}
	}
	return nil, &why, nil
}

// lacksProxy says whether no node that offers its capacity has a proxy.
func lacksProxy(tx store.Tx, h ecs.Home) bool {
	for _, i := range FargateHosts.List(tx, At(h).Prefix(), "") {
		if _, ok := place.AttributeOf(i.Attributes, launch.ProxyAttribute); ok {
			return false
		}
	}
	return true
}

// hiddenDefinition is what hidden tasks of a home are made of; it is made, and so is their cluster, when it is first needed.
func hiddenDefinition(tx store.Tx, h ecs.Home) *ecs.TaskDefinition {
	if _, ok := Clusters.Get(tx, ClusterKey(h, ecs.HiddenBalancers)); !ok {
		Clusters.Put(tx, &ecs.Cluster{Home: h, Name: ecs.HiddenBalancers, Status: ecs.ClusterActive})
	}
	d := launch.HiddenDefinition(h)
	if old, ok := TaskDefinitions.Get(tx, RevisionKey(h, d.Family, d.Revision)); ok {
		return old
	}
	TaskDefinitions.Put(tx, d)
	return d
}

// HiddenTasks yields the tasks of an owner, those that are STOPPED and not yet forgotten too. Nothing is compared.
func HiddenTasks(tx store.Tx, h ecs.Home, owner string) iter.Seq2[string, ecs.TaskView] {
	return func(yield func(string, ecs.TaskView) bool) {
		for key := range TasksByStartedBy.List(tx, ClusterKey(h, ecs.HiddenBalancers)+"/"+owner, "") {
			if v, ok := PeekTask(tx, key); ok && !yield(key, v) {
				return
			}
		}
	}
}
