package stock

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// onEC2 is an agent that runs on what it takes for an EC2 instance.
func (s *server) onEC2(token string, edit ...string) *agent {
	s.Helper()
	a := s.agent()
	a.token = token
	a.edits = append(edit, `{"name":"ecs.capability.external"},`, "")
	a.start()
	return a
}

// Which of two agents gets a task is a matter of what the definition requires and what each registered with.
func TestAgentsOfBothKindsInOneCluster(t *testing.T) {
	s := newServer(t)
	stock := s.onEC2("00000000-0000-4000-8000-000000000001")
	// berth's own keeps awslogs' output itself, which the stock agent is not set up for, and restarts no container here.
	own := s.onEC2("00000000-0000-4000-8000-000000000002",
		`{"name":"ecs.capability.full-sync"}`, `{"name":"ecs.capability.full-sync"},{"name":"com.amazonaws.ecs.capability.logging-driver.awslogs"}`,
		`{"name":"ecs.capability.container-restart-policy"},`, "")
	stock.manifest()
	own.manifest()
	web := types.ContainerDefinition{Name: aws.String("web"), Image: aws.String("busybox:1"), Memory: aws.Int32(64)}
	logs, restarts := web, web
	logs.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "g", "awslogs-region": zone}}
	restarts.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60), IgnoredExitCodes: []int32{0}}
	for family, c := range map[string]types.ContainerDefinition{"logs": logs, "restarts": restarts} {
		must(s.ecs.RegisterTaskDefinition(s.ctx, &ecs.RegisterTaskDefinitionInput{Family: &family, ContainerDefinitions: []types.ContainerDefinition{c}}))(t)
	}
	for range 5 {
		for family, only := range map[string]*agent{"logs": own, "restarts": stock} {
			out := must(s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: &family}))(t)
			if len(out.Tasks) != 1 || *out.Tasks[0].ContainerInstanceArn != only.arn {
				t.Fatalf("%s: %+v", family, out)
			}
			p := only.take()
			if p.Tasks[0].Arn != *out.Tasks[0].TaskArn {
				t.Errorf("%s: told of %s", family, p.Tasks[0].Arn)
			}
			if r := p.Tasks[0].Containers[0].RestartPolicy; family == "restarts" && (r == nil || !r.Enabled || r.RestartAttemptPeriod != 60 || len(r.IgnoredExitCodes) != 1) {
				t.Errorf("restart policy: %+v", r)
			}
		}
	}
}

// The stock agent registers capabilities for which the region would have to give it something. Without that it would start
// the task without its secret, its role or its volume.
func TestNothingIsPlacedThatWouldLackAPart(t *testing.T) {
	s := newServer(t)
	a := s.newAgent()
	web := func(edit func(*types.ContainerDefinition, *ecs.RegisterTaskDefinitionInput)) *ecs.RegisterTaskDefinitionInput {
		c := types.ContainerDefinition{Name: aws.String("web"), Image: aws.String("busybox:1"), Memory: aws.Int32(64)}
		in := &ecs.RegisterTaskDefinitionInput{Family: aws.String("web"), ExecutionRoleArn: aws.String("arn:aws:iam::000000000000:role/x")}
		edit(&c, in)
		in.ContainerDefinitions = append(in.ContainerDefinitions, c)
		return in
	}
	for attribute, in := range map[string]*ecs.RegisterTaskDefinitionInput{
		"ecs.capability.secrets.ssm.environment-variables": web(func(c *types.ContainerDefinition, _ *ecs.RegisterTaskDefinitionInput) {
			c.Secrets = []types.Secret{{Name: aws.String("A"), ValueFrom: aws.String("a")}}
		}),
		"com.amazonaws.ecs.capability.task-iam-role": web(func(_ *types.ContainerDefinition, in *ecs.RegisterTaskDefinitionInput) {
			in.TaskRoleArn = aws.String("arn:aws:iam::000000000000:role/x")
		}),
		"ecs.capability.efs": web(func(_ *types.ContainerDefinition, in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{Name: aws.String("v"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: aws.String("fs-1")}}}
		}),
		"ecs.capability.env-files.s3": web(func(c *types.ContainerDefinition, _ *ecs.RegisterTaskDefinitionInput) {
			c.EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::b/f.env")}}
		}),
	} {
		must(s.ecs.RegisterTaskDefinition(s.ctx, in))(t)
		out := must(s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeExternal}))(t)
		if len(out.Failures) != 1 || *out.Failures[0].Reason != "ATTRIBUTE" || !strings.Contains(aws.ToString(out.Failures[0].Detail), attribute) {
			t.Errorf("%s: %+v", attribute, out.Failures)
		}
		start, err := s.ecs.StartTask(s.ctx, &ecs.StartTaskInput{TaskDefinition: aws.String("web"), ContainerInstances: []string{a.arn}})
		if err != nil || len(start.Failures) != 1 || len(start.Tasks) != 0 {
			t.Errorf("StartTask, %s: %v %+v", attribute, err, start)
		}
	}
}
