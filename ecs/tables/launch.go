package tables

import (
	"fmt"
	"strconv"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// MaxLaunch is how many tasks one transaction may launch, MaxAttached how many that get interfaces. A task writes at most five records (core,
// desired, status, tags, ledger) and compares at most three (core, ledger, instance state), so there is room for what the caller writes beside.
// An interface and its addresses are four more of each, a public one among them, and a launch into ten subnets with five groups compares thirty.
const (
	MaxLaunch   = 16
	MaxAttached = 10
)

// Bounds are how many such tasks one transaction may launch, and how many keys each writes at most.
func Bounds(d *ecs.TaskDefinition) (most, writes int) {
	if ecs.HasInterface(&d.Document) {
		return MaxAttached, 9
	}
	return MaxLaunch, 5
}

// Launch places tasks and writes their records, or says in failures why some have no place. It compares the cluster, the task definition,
// and the ledger and state of each chosen instance, so that whatever takes one of them away in between makes the transaction run again.
// It compares and writes what MaxLaunch says, and compares 2 keys more; it refuses more tasks than that.
//
// Errors that clients see: no such cluster, definition, subnet or group, a constraint that cannot be read, and a cluster without container
// instances.
func Launch(tx store.Tx, w Wings, s launch.Spec) ([]*ecs.Task, []launch.Failure, error) {
	r, err := TryLaunch(tx, w, s)
	if err != nil {
		return nil, nil, err
	}
	if r.Refusal != nil && r.Refusal.NoInstance() && !s.Fargate() {
		return nil, nil, &aws.Error{Code: shape.CodeInvalidParameterException, Message: place.NoInstances}
	}
	return r.Tasks, r.Failures, nil
}

// TryLaunch is Launch for those who want to know why: a cluster without container instances is a refusal like any other.
func TryLaunch(tx store.Tx, w Wings, s launch.Spec) (launch.Result, error) {
	most, _ := Bounds(s.Definition)
	if count := max(s.Count, len(s.Instances)); count > most {
		return launch.Result{}, fmt.Errorf("tables: launch of %d tasks in one transaction, at most %d fit", count, most)
	}
	if err := launchable(tx, &s); err != nil {
		return launch.Result{}, err
	}
	seed, err := strconv.ParseUint(tx.NewID()[:16], 16, 64)
	if err != nil {
		return launch.Result{}, fmt.Errorf("tables: seed of a launch: %w", err)
	}
	req, err := launch.Request(s, seed)
	if err != nil {
		return launch.Result{}, &aws.Error{Code: shape.CodeInvalidParameterException, Message: err.Error()}
	}
	b := booking{tx: tx, wings: w, spec: s, needs: req.Needs}
	if err := b.wire(&req); err != nil {
		return launch.Result{}, err
	}
	if len(s.Instances) > 0 {
		return b.startOn(req)
	}
	candidates := candidatesFor(tx, s, req.MemberOf...)
	result := place.Place(req, candidates)
	out := launch.Result{Refusal: result.Refusal, Failures: failuresOf(s, result.Refusal)}
	for _, id := range result.Placed {
		t, err := b.book(id)
		if err != nil {
			return launch.Result{}, err
		}
		out.Tasks = append(out.Tasks, t)
	}
	if missing := s.Count - len(result.Placed); missing > 0 && takesRoom(s) {
		out.Interrupted = b.interrupt(req, candidates, missing, len(result.Placed))
	}
	return out, nil
}

// launchable compares what a launch stands on (2 keys) and takes the definition as this transaction sees it.
func launchable(tx store.Tx, s *launch.Spec) error {
	c, ok := Clusters.Get(tx, ClusterKey(s.Home, s.Cluster))
	if !ok || c.Status != ecs.ClusterActive {
		return &aws.Error{Code: shape.CodeClusterNotFoundException, Message: "Cluster not found."}
	}
	d, ok := TaskDefinitions.Get(tx, RevisionKey(s.Home, s.Definition.Family, s.Definition.Revision))
	if !ok {
		return &aws.Error{Code: shape.CodeClientException, Message: "TaskDefinition not found."}
	}
	// A service keeps the definition it has, also after it was deregistered.
	if s.Service == "" && aws.Val(d.Document.Status) != shape.TaskDefinitionStatusActive {
		return &aws.Error{Code: shape.CodeClientException, Message: "TaskDefinition is inactive"}
	}
	s.Definition = d
	return nil
}

// booking is a launch within its transaction.
type booking struct {
	tx      store.Tx
	wings   Wings
	spec    launch.Spec
	needs   ecs.Amounts
	subnets []ecs.Subnet // of tasks with interfaces; Free counts down
}

// wire finds the subnets of tasks that get interfaces, and keeps the request to their zones.
func (b *booking) wire(req *place.Request) (err error) {
	if b.spec.Network, err = request.Network(&b.spec.Definition.Document, b.spec.Network, b.spec.LaunchType); err != nil {
		return err
	}
	if b.subnets, err = Subnets(b.tx, b.wings, b.spec.Home, b.spec.Network); len(b.subnets) > 0 {
		req.Zones = ecs.Zones(b.subnets)
	}
	return err
}

// book writes one task on a chosen instance.
func (b *booking) book(instance string) (*ecs.Task, error) {
	tx, s := b.tx, b.spec
	key := b.keyOf(instance)
	i, ok := Instances.Peek(tx, key)
	if !ok {
		return nil, fmt.Errorf("tables: container instance %s vanished within a transaction", instance)
	}
	InstanceStates.Get(tx, key)
	l, ok := Ledgers.Get(tx, LedgerKey(s.Home.Region, i.Node))
	if !ok {
		return nil, fmt.Errorf("tables: ledger of node %s vanished within a transaction", i.Node)
	}
	booked, holds, beside := *l, b.needs, besideMiB(s, i)
	holds.MemoryMiB += beside
	booked.Used = place.Add(l.Used, holds)
	Ledgers.Put(tx, &booked)

	r := launch.Make(s, launch.Placed{Instance: i, Holds: holds, BesideMiB: beside}, tx.Now(), tx.NewID)
	if err := b.attach(r.Task, i); err != nil {
		return nil, err
	}
	if err := Tasks.Create(tx, r.Task); err != nil {
		return nil, fmt.Errorf("tables: launch: %w", err)
	}
	TaskDesireds.Put(tx, r.Desired)
	TaskStatuses.Put(tx, r.Status)
	if r.Tags != nil {
		TaskTags.Put(tx, r.Tags)
	}
	return r.Task, nil
}

// startOn is StartTask: one task on each named instance, or the reason why not.
func (b *booking) startOn(req place.Request) (launch.Result, error) {
	tx, s := b.tx, b.spec
	var out launch.Result
	req.MemberOf, req.Distinct, req.LaunchType = nil, false, ""
	for _, id := range s.Instances {
		arn := s.Home.InstanceARN(s.Cluster, id)
		i, ok := Instances.Peek(tx, MemberKey(s.Home, s.Cluster, id))
		if !ok {
			out.Failures = append(out.Failures, launch.Failure{ARN: arn, Reason: "MISSING"})
			continue
		}
		if b.subnets != nil {
			req.Zones = ecs.Zones(b.subnets)
		}
		if why, detail, ok := place.Check(req, Candidate(tx, i)); !ok {
			out.Failures = append(out.Failures, launch.Failure{ARN: arn, Reason: string(why), Detail: detail})
			continue
		}
		t, err := b.book(id)
		if err != nil {
			return launch.Result{}, err
		}
		out.Tasks = append(out.Tasks, t)
	}
	return out, nil
}

// failuresOf names the instances that came closest.
func failuresOf(s launch.Spec, r *place.Refusal) []launch.Failure {
	if r == nil {
		return nil
	}
	if s.Fargate() {
		return []launch.Failure{shortage(r)}
	}
	var out []launch.Failure
	for _, m := range r.Nearest {
		out = append(out, launch.Failure{ARN: s.Home.InstanceARN(s.Cluster, m.ID), Reason: string(m.Reason), Detail: m.Detail})
	}
	return out
}
