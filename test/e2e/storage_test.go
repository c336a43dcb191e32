package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// startFargate starts a task on FARGATE, until the test ends.
func startFargate(t testing.TB, d *ecs.RegisterTaskDefinitionInput, o *types.TaskOverride) string {
	t.Helper()
	s, _ := subnet(t)
	return startWith(t, &ecs.RunTaskInput{
		TaskDefinition: aws.String(register(t, onFargate(d))), LaunchType: types.LaunchTypeFargate, Overrides: o,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{s}}},
	})
}

// A task on FARGATE has 20 GiB, or what it asks for, for all that its containers write, to their roots and its volumes; not more. It is told
// so, and how much of it is used.
func TestEphemeralStorageIsHeldToItsSize(t *testing.T) {
	t.Parallel()
	const fill = `busybox fallocate -l 15G /a && busybox fallocate -l 4G /v/b && echo fits; wget -q -O - $ECS_CONTAINER_METADATA_URI_V4/task; echo;
		busybox fallocate -l 3G /v/c 2>&1 | grep -i -o "no space left"; exit 0`
	for name, c := range map[string]struct {
		overrides *types.TaskOverride
		gib       int32
		full      bool
	}{
		"default": {nil, 20, true},
		"asked":   {&types.TaskOverride{EphemeralStorage: &types.EphemeralStorage{SizeInGiB: 24}}, 24, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := define(t, script("main", fill, func(c *types.ContainerDefinition) {
				c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/v")}}
			}))
			d.Volumes = []types.Volume{{Name: aws.String("v")}}
			task := region.AwaitTask(t, startFargate(t, d, c.overrides), "STOPPED")
			if s := task.EphemeralStorage; s == nil || s.SizeInGiB != c.gib || task.FargateEphemeralStorage == nil || task.FargateEphemeralStorage.SizeInGiB != c.gib {
				t.Errorf("DescribeTasks answers %+v, %+v", s, task.FargateEphemeralStorage)
			}
			lines := strings.Split(strings.TrimSpace(output(t, *task.TaskArn, "main")), "\n")
			if len(lines) < 2 || lines[0] != "fits" || c.full != (strings.EqualFold(lines[len(lines)-1], "no space left")) {
				t.Fatalf("printed %q", lines)
			}
			var told struct {
				EphemeralStorageMetrics struct{ Utilized, Reserved int64 }
			}
			if err := json.Unmarshal([]byte(lines[1]), &told); err != nil {
				t.Fatal(err)
			}
			if m := told.EphemeralStorageMetrics; m.Reserved != int64(c.gib)*1024 || m.Utilized < 19*1024 || m.Utilized > 19*1024+64 {
				t.Errorf("the task is told %+v", m)
			}
		})
	}
}
