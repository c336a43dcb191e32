package e2e

import (
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTaskThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*types.ContainerDefinition)
		reason string
	}{
		"image missing": {
			func(c *types.ContainerDefinition) { c.Image = aws.String("127.0.0.1:1/no/such:1") }, "CannotPullImageManifestError",
		},
		"image name": {
			func(c *types.ContainerDefinition) { c.Image = aws.String("UPPER/CASE") }, "CannotPullContainerError",
		},
		"command missing": {
			func(c *types.ContainerDefinition) { c.EntryPoint, c.Command = []string{"/no/such"}, nil }, "CannotStartContainerError",
		},
		"command not found in PATH": {
			func(c *types.ContainerDefinition) { c.EntryPoint, c.Command = []string{"nosuch"}, nil }, "CannotStartContainerError",
		},
		"user missing":  {user("nobody-here"), "nobody-here"},
		"group missing": {user("0:nothing"), "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := script("main", "true")
			test.change(&c)
			task := finished(t, define(t, c))
			equal(t, "stopCode", task.StopCode, types.TaskStopCodeTaskFailedToStart)
			if reason := aws.ToString(task.StoppedReason); !strings.Contains(reason, test.reason) {
				t.Errorf("stoppedReason is %q, want it to say %q", reason, test.reason)
			}
			if reason := aws.ToString(task.Containers[0].Reason); !strings.Contains(reason, test.reason) {
				t.Errorf("the container's reason is %q, want it to say %q", reason, test.reason)
			}
			if task.StartedAt != nil || task.Containers[0].ExitCode != nil {
				t.Errorf("a task that never ran has startedAt %v, exitCode %v", task.StartedAt, task.Containers[0].ExitCode)
			}
			if task.StoppedAt == nil || task.CreatedAt == nil {
				t.Error("createdAt or stoppedAt is missing")
			}
		})
	}
}

// A field whose part this node does not have is refused by the attribute that AWS asks for, never ignored.
func TestFieldThatIsNotThereIsRefusedByItsAttribute(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ecs.RegisterTaskDefinitionInput, *types.ContainerDefinition){
		"another architecture": func(d *ecs.RegisterTaskDefinitionInput, _ *types.ContainerDefinition) {
			d.RequiresCompatibilities = []types.Compatibility{types.CompatibilityEc2}
			d.RuntimePlatform = &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyLinux, CpuArchitecture: types.CPUArchitectureArm64}
			if runtime.GOARCH == "arm64" {
				d.RuntimePlatform.CpuArchitecture = types.CPUArchitectureX8664
			}
		},
		"secrets": func(d *ecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) {
			d.ExecutionRoleArn = aws.String("arn:aws:iam::000000000000:role/x")
			c.Secrets = []types.Secret{{Name: aws.String("S"), ValueFrom: aws.String("arn:aws:secretsmanager:us-east-1:000000000000:secret:s")}}
		},
		"taskRole": func(d *ecs.RegisterTaskDefinitionInput, _ *types.ContainerDefinition) {
			d.TaskRoleArn = aws.String("arn:aws:iam::000000000000:role/x")
		},
		"log driver": func(_ *ecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverSyslog}
		},
		"docker plugin": func(d *ecs.RegisterTaskDefinitionInput, _ *types.ContainerDefinition) {
			d.Volumes = []types.Volume{{Name: aws.String("v"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Driver: aws.String("rexray")}}}
		},
		"efs": func(d *ecs.RegisterTaskDefinitionInput, _ *types.ContainerDefinition) {
			d.Volumes = []types.Volume{{Name: aws.String("v"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: aws.String("fs-12345678")}}}
		},
		"environment files": func(d *ecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) {
			d.ExecutionRoleArn = aws.String("arn:aws:iam::000000000000:role/x")
			c.EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::bucket/a.env")}}
		},
		"firelens": func(d *ecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) {
			c.FirelensConfiguration = &types.FirelensConfiguration{Type: types.FirelensConfigurationTypeFluentbit}
			d.ContainerDefinitions = []types.ContainerDefinition{script("app", "true", func(c *types.ContainerDefinition) {
				c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens}
			})}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := script("main", "true")
			d := define(t)
			change(d, &c)
			d.ContainerDefinitions = append(d.ContainerDefinitions, c)
			out, err := region.ECS.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String(register(t, d))})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Tasks) != 0 || len(out.Failures) != 1 || aws.ToString(out.Failures[0].Reason) != "ATTRIBUTE" {
				t.Errorf("%d tasks, failures %+v; want one ATTRIBUTE", len(out.Tasks), out.Failures)
			}
		})
	}
}
