package agent

import (
	"testing"

	"github.com/berth-ecs/berth/node/agent/engine"
	"github.com/berth-ecs/berth/node/agent/plan"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// As the ECS agent: a container without a policy has no count, one with it has one from the start.
func TestRestartsAreToldWhereThereIsAPolicy(t *testing.T) {
	task := engine.Task{
		Plan:       &plan.Task{Containers: []plan.Container{{ID: "a"}, {ID: "b", Restart: &plan.Restart{}}}},
		Containers: []engine.Container{{}, {Lives: engine.Lives{Restarts: 3}}},
	}
	if got := metadataContainer(&task, 0).RestartCount; got != nil {
		t.Errorf("without a policy: %d", *got)
	}
	if got := metadataContainer(&task, 1).RestartCount; got == nil || *got != 3 {
		t.Errorf("with one: %v", got)
	}
}

func TestProtectionAnswer(t *testing.T) {
	arn, reason := "arn:t", "TASK_NOT_VALID"
	on := true
	if got, err := protectionAnswer([]shape.ProtectedTask{{TaskArn: &arn, ProtectionEnabled: &on}}, nil); err != nil || !got.Protection.ProtectionEnabled || got.Protection.ExpirationDate != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := protectionAnswer(nil, []shape.Failure{{Arn: &arn, Reason: &reason}}); err != nil || got.Failure.Reason != reason || got.Failure.Detail != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := protectionAnswer(nil, nil); err == nil {
		t.Error("an empty answer is none")
	}
}
