package agent

import (
	"context"
	"errors"
	"math"

	"github.com/berth-ecs/berth/node/agent/report"
	"github.com/berth-ecs/berth/node/metadata"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var _ metadata.ProtectionSource = (*Agent)(nil)

// Protection implements metadata.ProtectionSource. The node asks on the task's behalf, with its own keys.
func (a *Agent) Protection(ctx context.Context, t metadata.Task) (metadata.ProtectionAnswer, error) {
	out, err := a.api.GetTaskProtection(ctx, &shape.GetTaskProtectionRequest{Cluster: aws.Ptr(report.ClusterOf(t.TaskARN, a.cfg.Cluster)), Tasks: []string{t.TaskARN}})
	if err != nil {
		return metadata.ProtectionAnswer{}, err
	}
	return protectionAnswer(out.ProtectedTasks, out.Failures)
}

// Protect implements metadata.ProtectionSource.
func (a *Agent) Protect(ctx context.Context, t metadata.Task, p metadata.ProtectionWish) (metadata.ProtectionAnswer, error) {
	in := &shape.UpdateTaskProtectionRequest{Cluster: aws.Ptr(report.ClusterOf(t.TaskARN, a.cfg.Cluster)), Tasks: []string{t.TaskARN}, ProtectionEnabled: p.ProtectionEnabled}
	if m := p.ExpiresInMinutes; m != nil {
		in.ExpiresInMinutes = aws.Ptr(int32(min(max(*m, math.MinInt32), math.MaxInt32))) // out of range is the server's to refuse
	}
	out, err := a.api.UpdateTaskProtection(ctx, in)
	if err != nil {
		return metadata.ProtectionAnswer{}, err
	}
	return protectionAnswer(out.ProtectedTasks, out.Failures)
}

var errProtection = errors.New("agent: the server answered neither a protection nor a failure of the task")

// protectionAnswer is the server's answer about one task.
func protectionAnswer(tasks []shape.ProtectedTask, failures []shape.Failure) (metadata.ProtectionAnswer, error) {
	switch {
	case len(failures) == 1:
		f := failures[0]
		return metadata.ProtectionAnswer{Failure: &metadata.ProtectionFailure{Arn: aws.Val(f.Arn), Detail: f.Detail, Reason: aws.Val(f.Reason)}}, nil
	case len(failures) == 0 && len(tasks) == 1:
		p := tasks[0]
		out := &metadata.Protection{ProtectionEnabled: aws.Val(p.ProtectionEnabled), TaskArn: aws.Val(p.TaskArn)}
		if p.ExpirationDate != nil {
			at := p.ExpirationDate.UTC()
			out.ExpirationDate = &at
		}
		return metadata.ProtectionAnswer{Protection: out}, nil
	}
	return metadata.ProtectionAnswer{}, errProtection
}
