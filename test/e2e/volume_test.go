package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func mount(volume, path string, readOnly bool) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.MountPoints = append(c.MountPoints, types.MountPoint{SourceVolume: &volume, ContainerPath: &path, ReadOnly: &readOnly})
	}
}

func TestVolumeOfTheHostIsReadAndWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in"), []byte("from outside\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := define(t, script("main", "cat /rw/in; echo back > /rw/out; touch /ro/x 2>/dev/null || echo refused; cat /ro/in",
		mount("v", "/rw", false), mount("v", "/ro", true)))
	d.Volumes = []types.Volume{{Name: aws.String("v"), Host: &types.HostVolumeProperties{SourcePath: &dir}}}
	task := finished(t, d)
	equal(t, "output", output(t, *task.TaskArn, "main"), "from outside\nrefused\nfrom outside\n")
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	equal(t, "what the container wrote", string(out), "back\n")
	if err != nil {
		t.Error(err)
	}
}

func TestVolumeWithoutAPathIsTheTasksOwn(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]types.Volume{
		"host":   {Name: aws.String("v"), Host: &types.HostVolumeProperties{}},
		"bare":   {Name: aws.String("v")},
		"docker": {Name: aws.String("v"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeTask, Driver: aws.String("local")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := define(t,
				script("writer", "ls /v; echo shared > /v/f", mount("v", "/v", false), optional),
				script("reader", "cat /w/f", mount("v", "/w", true), depends("writer", types.ContainerConditionSuccess)),
				script("heir", "cat /w/f; touch /w/x 2>/dev/null || echo refused", depends("writer", types.ContainerConditionSuccess), func(c *types.ContainerDefinition) {
					c.VolumesFrom = []types.VolumeFrom{{SourceContainer: aws.String("reader")}}
					c.Essential = aws.Bool(false)
				}),
			)
			d.ContainerDefinitions[1].DependsOn = append(d.ContainerDefinitions[1].DependsOn,
				types.ContainerDependency{ContainerName: aws.String("heir"), Condition: types.ContainerConditionComplete})
			d.Volumes = []types.Volume{v}
			for range 2 { // the second task must not see the first one's
				task := finished(t, d)
				equal(t, "first look", output(t, *task.TaskArn, "writer"), "")
				equal(t, "reader", output(t, *task.TaskArn, "reader"), "shared\n")
				equal(t, "volumesFrom", output(t, *task.TaskArn, "heir"), "shared\nrefused\n")
			}
		})
	}
}

func TestSharedVolumeOutlivesItsTask(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", "cat /v/f 2>/dev/null; echo kept >> /v/f", mount("shared-of-one-test", "/v", false)))
	d.Volumes = []types.Volume{{Name: aws.String("shared-of-one-test"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{
		Scope: types.ScopeShared, Autoprovision: aws.Bool(true),
	}}}
	for n := range 3 {
		task := finished(t, d)
		equal(t, "output", output(t, *task.TaskArn, "main"), strings.Repeat("kept\n", n))
	}
}

func TestSharedVolumeThatNobodyMade(t *testing.T) {
	t.Parallel()
	d := define(t, script("main", "true", mount("nobody-made-it", "/v", false)))
	d.Volumes = []types.Volume{{Name: aws.String("nobody-made-it"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeShared}}}
	task := finished(t, d)
	equal(t, "stopCode", task.StopCode, types.TaskStopCodeTaskFailedToStart)
	if reason := aws.ToString(task.StoppedReason); !strings.Contains(reason, "nobody-made-it") {
		t.Errorf("the reason does not name the volume: %s", reason)
	}
}
