package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/berth-ecs/berth/node/agent/health"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/node/network"
	"github.com/berth-ecs/berth/session"
)

// recordVersion changes with the meaning of a stored member.
const recordVersion = 1

// record is a task on disk: what was asked, and what containerd and the kernel do not keep.
type record struct {
	V                int
	Payload          session.Task // without credentials
	Boot             string       `json:",omitzero"` // of the machine, when this was written
	Stop             bool         `json:",omitzero"`
	Ran              bool         `json:",omitzero"`
	Reason           string       `json:",omitzero"`
	PullStarted      time.Time    `json:",omitzero"`
	PullStopped      time.Time    `json:",omitzero"`
	ExecutionStopped time.Time    `json:",omitzero"`
	StoppedAt        time.Time    `json:",omitzero"`
	Released         bool         `json:",omitzero"`
	Reported         Reported     `json:",omitzero"`
	Containers       []containerRecord
}

type containerRecord struct {
	Launched   bool              `json:",omitzero"`
	Phase      Phase             `json:",omitzero"` // Exited or Stopped; the rest is looked up
	Digest     string            `json:",omitzero"`
	StopSignal string            `json:",omitzero"`
	Ports      []network.Binding `json:",omitzero"`
	ExitCode   *int              `json:",omitzero"`
	Reason     string            `json:",omitzero"`
	CreatedAt  time.Time         `json:",omitzero"`
	StartedAt  time.Time         `json:",omitzero"`
	FinishedAt time.Time         `json:",omitzero"`
	Health     string            `json:",omitzero"`
	Since      time.Time         `json:",omitzero"`
	Lives      Lives             `json:",omitzero"`
	Declares   Declares          `json:",omitzero"`
}

// encode renders t for the disk. Credentials never get there.
func (t *Task) encode() ([]byte, error) {
	r := record{
		V: recordVersion, Payload: t.Payload, Boot: t.boot, Stop: t.Stop, Ran: t.Ran, Reason: t.Reason,
		PullStarted: t.PullStarted, PullStopped: t.PullStopped, ExecutionStopped: t.ExecutionStopped,
		StoppedAt: t.StoppedAt, Released: t.Released, Reported: t.Reported,
	}
	r.Payload.RoleCredentials, r.Payload.ExecutionRoleCredentials = nil, nil
	for i := range t.Containers {
		c := &t.Containers[i]
		cr := containerRecord{
			Launched: c.Launched, Digest: c.Digest, StopSignal: c.StopSignal, Ports: c.Endpoint.Ports,
			ExitCode: c.ExitCode, Reason: c.Reason,
			CreatedAt: c.CreatedAt, StartedAt: c.StartedAt, FinishedAt: c.FinishedAt,
			Health: c.Health.Status, Since: c.Health.Since, Lives: c.Lives, Declares: c.Declares,
		}
		if c.Phase >= Exited {
			cr.Phase = c.Phase
		}
		r.Containers = append(r.Containers, cr)
	}
	return json.Marshal(r)
}

// decode reads a task from the disk and plans it again.
func decode(b []byte, n plan.Node, boot string) (*Task, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("engine: task record: %w", err)
	}
	if r.V != recordVersion {
		return nil, fmt.Errorf("engine: task record %s: version %d, this node reads %d", r.Payload.Arn, r.V, recordVersion)
	}
	t := &Task{
		ARN: r.Payload.Arn, Payload: r.Payload, Stop: r.Stop, Ran: r.Ran, Reason: r.Reason,
		PullStarted: r.PullStarted, PullStopped: r.PullStopped, ExecutionStopped: r.ExecutionStopped,
		StoppedAt: r.StoppedAt, Released: r.Released, Reported: r.Reported,
		boot: boot, rebooted: r.Boot != boot,
	}
	t.ID, _ = plan.ID(t.ARN)
	if len(r.Containers) == 0 {
		return t, nil
	}
	p, err := plan.New(r.Payload, n)
	if err != nil {
		return nil, fmt.Errorf("engine: task record %s: %w", t.ARN, err)
	}
	t.Plan = p
	for _, c := range r.Containers {
		t.Containers = append(t.Containers, Container{
			Phase: c.Phase, Launched: c.Launched, Digest: c.Digest, StopSignal: c.StopSignal,
			Endpoint: network.Endpoint{Ports: c.Ports},
			ExitCode: c.ExitCode, Reason: c.Reason, CreatedAt: c.CreatedAt, StartedAt: c.StartedAt,
			FinishedAt: c.FinishedAt, Health: health.State{Status: c.Health, Since: c.Since}, Lives: c.Lives, Declares: c.Declares,
		})
	}
	return t, nil
}

// notAfter brings times of a record that lie in the future to now: the clock was set back since they were written, and what waits
// for a time after them must not wait for that.
func (t *Task) notAfter(now time.Time) {
	clamp := func(times ...*time.Time) {
		for _, at := range times {
			if at.After(now) {
				*at = now
			}
		}
	}
	clamp(&t.PullStarted, &t.PullStopped, &t.ExecutionStopped, &t.StoppedAt)
	for i := range t.Containers {
		c := &t.Containers[i]
		clamp(&c.CreatedAt, &c.StartedAt, &c.RestartedAt, &c.FinishedAt, &c.Health.Since)
	}
}
