package tables

import (
	"fmt"
	"strconv"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/launch"
	"github.com/berth-ecs/berth/ecs/place"
	"github.com/berth-ecs/berth/store"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// MaxLaunch is how many tasks one transaction may launch. Each writes at most five records (core, desired, status, tags, ledger) and
// compares at most three (core, ledger, instance state), so there is room for what the caller writes beside.
const MaxLaunch = 16

// Launch places tasks and writes their records, or says in failures why some have no place. It compares the cluster, the task definition,
// and the ledger and state of each chosen instance, so that whatever takes one of them away in between makes the transaction run again.
// It writes at most 5 and compares at most 3 keys a task, and 2 more; it refuses more than MaxLaunch tasks.
//
// Errors that clients see: no such cluster or definition, a constraint that cannot be read, and a cluster without container instances.
func Launch(tx store.Tx, s launch.Spec) ([]*ecs.Task, []launch.Failure, error) {
	r, err := TryLaunch(tx, s)
	if err != nil {
		return nil, nil, err
	}
	if r.Refusal != nil && r.Refusal.NoInstance() {
		return nil, nil, &aws.Error{Code: shape.CodeInvalidParameterException, Message: place.NoInstances}
	}
	return r.Tasks, r.Failures, nil
}

// TryLaunch is Launch for those who want to know why: a cluster without container instances is a refusal like any other.
func TryLaunch(tx store.Tx, s launch.Spec) (launch.Result, error) {
	if n := max(s.Count, len(s.Instances)); n > MaxLaunch {
		return launch.Result{}, fmt.Errorf("tables: launch of %d tasks in one transaction, at most %d fit", n, MaxLaunch)
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
	if len(s.Instances) > 0 {
		return startOn(tx, s, req)
	}
	result := place.Place(req, candidatesFor(tx, s, req.MemberOf...))
	out := launch.Result{Refusal: result.Refusal, Failures: failuresOf(s, result.Refusal)}
	for _, id := range result.Placed {
		t, err := book(tx, s, id, req.Needs)
		if err != nil {
			return launch.Result{}, err
		}
		out.Tasks = append(out.Tasks, t)
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

// book writes one task on a chosen instance.
func book(tx store.Tx, s launch.Spec, instance string, needs ecs.Amounts) (*ecs.Task, error) {
	key := MemberKey(s.Home, s.Cluster, instance)
	i, ok := Instances.Peek(tx, key)
	if !ok {
		return nil, fmt.Errorf("tables: container instance %s vanished within a transaction", instance)
	}
	InstanceStates.Get(tx, key)
	l, ok := Ledgers.Get(tx, LedgerKey(s.Home.Region, i.Node))
	if !ok {
		return nil, fmt.Errorf("tables: ledger of node %s vanished within a transaction", i.Node)
	}
	booked := *l
	booked.Used = place.Add(l.Used, needs)
	Ledgers.Put(tx, &booked)

	r := launch.Make(s, launch.Placed{Instance: i, Holds: needs}, tx.Now(), tx.NewID)
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
func startOn(tx store.Tx, s launch.Spec, req place.Request) (launch.Result, error) {
	var out launch.Result
	req.MemberOf, req.Distinct, req.LaunchType = nil, false, ""
	for _, id := range s.Instances {
		arn := s.Home.InstanceARN(s.Cluster, id)
		i, ok := Instances.Peek(tx, MemberKey(s.Home, s.Cluster, id))
		if !ok {
			out.Failures = append(out.Failures, launch.Failure{ARN: arn, Reason: "MISSING"})
			continue
		}
		if why, detail, ok := place.Check(req, Candidate(tx, i)); !ok {
			out.Failures = append(out.Failures, launch.Failure{ARN: arn, Reason: string(why), Detail: detail})
			continue
		}
		t, err := book(tx, s, id, req.Needs)
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
	var out []launch.Failure
	for _, m := range r.Nearest {
		out = append(out, launch.Failure{ARN: s.Home.InstanceARN(s.Cluster, m.ID), Reason: string(m.Reason), Detail: m.Detail})
	}
	return out
}
