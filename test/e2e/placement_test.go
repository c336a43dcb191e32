package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestPlacementConstraints(t *testing.T) {
	t.Parallel()
	def := register(t, define(t, script("main", idle)))
	member := func(expression string) []types.PlacementConstraint {
		return []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}}
	}
	for name, test := range map[string]struct {
		constraints []types.PlacementConstraint
		placed      int
	}{
		"equal":            {member("attribute:ecs.os-type == linux"), 2},
		"not equal":        {member("attribute:ecs.os-type == windows"), 0},
		"in":               {member("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]"), 2},
		"not in":           {member("attribute:ecs.availability-zone in [us-east-1c]"), 0},
		"distinctInstance": {[]types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{
				TaskDefinition: &def, Count: aws.Int32(2), PlacementConstraints: test.constraints, Group: aws.String(family(t)),
				PlacementStrategy: []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range out.Tasks {
				ends(t, *task.TaskArn)
			}
			equal(t, "tasks placed", len(out.Tasks), test.placed)
			if test.placed < 2 && len(out.Failures) == 0 {
				t.Error("no failure says why")
			}
			for _, f := range out.Failures {
				t.Logf("%s: %s", aws.ToString(f.Reason), aws.ToString(f.Detail))
			}
		})
	}
}

// An INACTIVE task definition still serves the services that have it, and nobody new.
func TestInactiveDefinitionServesItsServices(t *testing.T) {
	t.Parallel()
	name := serve(t, define(t, script("main", idle)), 1)
	s := steady(t, name)
	def := aws.ToString(s.TaskDefinition)
	if _, err := region.ECS.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &def}); err != nil {
		t.Fatal(err)
	}
	update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(2)})
	await(t, name, "two tasks", func(s types.Service) bool { return stable(s) && s.RunningCount == 2 })
	if _, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: &def}); err == nil {
		t.Error("an INACTIVE definition runs anew")
	}
	described, err := region.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: &def})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", described.TaskDefinition.Status, types.TaskDefinitionStatusInactive)
}
