package compose

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

var home = ecs.Home{Account: "000000000000", Region: "us-east-1"}

func definition(c shape.ContainerDefinition) *ecs.TaskDefinition {
	c.Name, c.Image = aws.Ptr("web"), aws.Ptr("web:1")
	return &ecs.TaskDefinition{Home: home, Family: "web", Revision: 3, Document: shape.TaskDefinition{
		NetworkMode:          aws.Ptr("bridge"),
		ContainerDefinitions: []shape.ContainerDefinition{c},
	}}
}

func task(o shape.TaskOverride) *ecs.Task {
	return &ecs.Task{Home: home, Cluster: "default", ID: "0123", Family: "web", Revision: 3, Overrides: o,
		Containers: []ecs.TaskContainer{{Name: "web", ID: "c0"}}}
}

func start(t *testing.T, tk *ecs.Task, d *ecs.TaskDefinition) session.Task {
	t.Helper()
	got, err := Start(tk, d)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestStartMergesOverrides(t *testing.T) {
	d := definition(shape.ContainerDefinition{
		Command: []string{"serve"}, Cpu: aws.Ptr(int32(64)), Memory: aws.Ptr(int32(128)), MemoryReservation: aws.Ptr(int32(32)),
		Environment: []shape.KeyValuePair{{Name: aws.Ptr("A"), Value: aws.Ptr("1")}, {Name: aws.Ptr("B"), Value: aws.Ptr("2")}},
	})
	d.Document.Cpu, d.Document.Memory = aws.Ptr("512"), aws.Ptr("1024")
	got := start(t, task(shape.TaskOverride{
		Memory: aws.Ptr("2048"),
		ContainerOverrides: []shape.ContainerOverride{{
			Name: aws.Ptr("web"), Command: []string{"migrate"}, Memory: aws.Ptr(int32(256)), MemoryReservation: aws.Ptr(int32(64)),
			Environment: []shape.KeyValuePair{{Name: aws.Ptr("B"), Value: aws.Ptr("3")}},
		}},
	}), d)
	if got.CPU != 0.5 || got.Memory != 2048 {
		t.Errorf("task limits: %v vCPU, %d MiB", got.CPU, got.Memory)
	}
	want := session.Container{
		Name: "web", ContainerArn: "arn:aws:ecs:us-east-1:000000000000:container/default/0123/c0", Image: "web:1",
		Command: []string{"migrate"}, Environment: map[string]string{"A": "1", "B": "3"},
		Essential: true, CPU: 64, Memory: 256, Overrides: "{}",
		DockerConfig: session.DockerConfig{Config: "{}", HostConfig: `{"NetworkMode":"bridge","MemoryReservation":67108864}`, Version: "1.18"},
	}
	if d := cmp.Diff(want, got.Containers[0]); d != "" {
		t.Errorf("container (-want +got):\n%s", d)
	}
}

// What a definition says in Docker's words travels as Docker's documents.
func TestDockerDocuments(t *testing.T) {
	for _, tt := range []struct {
		name         string
		def          shape.ContainerDefinition
		config, host string
	}{
		{"who and where", shape.ContainerDefinition{User: aws.Ptr("app:app"), WorkingDirectory: aws.Ptr("/srv"), Hostname: aws.Ptr("h")},
			`{"User":"app:app","WorkingDir":"/srv","Hostname":"h"}`, `{"NetworkMode":"bridge"}`},
		{"no network", shape.ContainerDefinition{DisableNetworking: aws.Ptr(true)}, `{"NetworkDisabled":true}`, `{"NetworkMode":"bridge"}`},
		{"health check in nanoseconds", shape.ContainerDefinition{HealthCheck: &shape.HealthCheck{
			Command: []string{"CMD-SHELL", "true"}, Interval: aws.Ptr(int32(5)), Timeout: aws.Ptr(int32(2)), Retries: aws.Ptr(int32(3))}},
			`{"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":5000000000,"Timeout":2000000000,"Retries":3}}`, `{"NetworkMode":"bridge"}`},
		{"limits and rights", shape.ContainerDefinition{Privileged: aws.Ptr(true), ReadonlyRootFilesystem: aws.Ptr(true),
			Ulimits: []shape.Ulimit{{Name: aws.Ptr("nofile"), SoftLimit: aws.Ptr(int32(10)), HardLimit: aws.Ptr(int32(20))}}},
			`{}`, `{"NetworkMode":"bridge","Privileged":true,"ReadonlyRootfs":true,"Ulimits":[{"Name":"nofile","Soft":10,"Hard":20}]}`},
		{"linux parameters", shape.ContainerDefinition{Memory: aws.Ptr(int32(64)), LinuxParameters: &shape.LinuxParameters{
			Capabilities: &shape.KernelCapabilities{Add: []string{"NET_ADMIN"}, Drop: []string{"MKNOD"}},
			Devices:      []shape.Device{{HostPath: aws.Ptr("/dev/fuse"), Permissions: []string{"read", "write"}}},
			Tmpfs:        []shape.Tmpfs{{ContainerPath: aws.Ptr("/t"), Size: aws.Ptr(int32(8)), MountOptions: []string{"noexec"}}},
			MaxSwap:      aws.Ptr(int32(64)), SharedMemorySize: aws.Ptr(int32(16)), InitProcessEnabled: aws.Ptr(true)}},
			`{}`, `{"NetworkMode":"bridge","CapAdd":["NET_ADMIN"],"CapDrop":["MKNOD"],"Tmpfs":{"/t":"size=8m,noexec"},` +
				`"Devices":[{"PathOnHost":"/dev/fuse","PathInContainer":"/dev/fuse","CgroupPermissions":"rw"}],` +
				`"ShmSize":16777216,"Init":true,"MemorySwap":134217728}`},
		{"swappiness", shape.ContainerDefinition{Memory: aws.Ptr(int32(64)), LinuxParameters: &shape.LinuxParameters{MaxSwap: aws.Ptr(int32(0)), Swappiness: aws.Ptr(int32(0))}},
			"{}", `{"NetworkMode":"bridge","MemorySwap":67108864,"MemorySwappiness":0}`},
		{"swappiness alone is ignored", shape.ContainerDefinition{LinuxParameters: &shape.LinuxParameters{Swappiness: aws.Ptr(int32(7))}},
			"{}", `{"NetworkMode":"bridge"}`},
		{"terminal, input, labels", shape.ContainerDefinition{PseudoTerminal: aws.Ptr(true), Interactive: aws.Ptr(true), DockerLabels: map[string]string{"a": "b"}},
			`{"Tty":true,"OpenStdin":true,"Labels":{"a":"b"}}`, `{"NetworkMode":"bridge"}`},
		{"log driver", shape.ContainerDefinition{LogConfiguration: &shape.LogConfiguration{LogDriver: aws.Ptr("awslogs"), Options: map[string]string{"awslogs-group": "g"}}},
			`{}`, `{"NetworkMode":"bridge","LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"g"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := start(t, task(shape.TaskOverride{}), definition(tt.def)).Containers[0].DockerConfig
			if d := cmp.Diff(tt.config, got.Config); d != "" {
				t.Errorf("Config (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.host, got.HostConfig); d != "" {
				t.Errorf("HostConfig (-want +got):\n%s", d)
			}
		})
	}
}

func TestListsTravelUnchanged(t *testing.T) {
	d := definition(shape.ContainerDefinition{
		Essential:    aws.Ptr(false),
		StopTimeout:  aws.Ptr(int32(0)),
		PortMappings: []shape.PortMapping{{ContainerPort: aws.Ptr(int32(80))}, {ContainerPortRange: aws.Ptr("90-92"), Protocol: aws.Ptr("udp")}},
		MountPoints:  []shape.MountPoint{{SourceVolume: aws.Ptr("v"), ContainerPath: aws.Ptr("/v"), ReadOnly: aws.Ptr(true)}},
		DependsOn:    []shape.ContainerDependency{{ContainerName: aws.Ptr("db"), Condition: aws.Ptr("HEALTHY")}},
	})
	d.Document.Volumes = []shape.Volume{{Name: aws.Ptr("v")}, {Name: aws.Ptr("d"), DockerVolumeConfiguration: &shape.DockerVolumeConfiguration{Driver: aws.Ptr("local")}}}
	got := start(t, task(shape.TaskOverride{}), d)
	wantVolumes := []session.Volume{
		{Name: "v", Type: "host", Host: &session.HostVolume{}},
		{Name: "d", Type: "docker", Docker: &session.DockerVolume{Scope: "task", Driver: "local"}},
	}
	if d := cmp.Diff(wantVolumes, got.Volumes); d != "" {
		t.Errorf("volumes (-want +got):\n%s", d)
	}
	c := got.Containers[0]
	wantPorts := []session.PortMapping{{ContainerPort: 80, Protocol: "tcp"}, {ContainerPortRange: "90-92", Protocol: "udp"}}
	if d := cmp.Diff(wantPorts, c.PortMappings); d != "" {
		t.Errorf("ports (-want +got):\n%s", d)
	}
	if c.Essential || c.StopTimeout == nil || *c.StopTimeout != 0 || len(c.MountPoints) != 1 || len(c.DependsOn) != 1 {
		t.Errorf("container: %+v", c)
	}
}

func TestStopNeedsNoDefinition(t *testing.T) {
	got := Stop(task(shape.TaskOverride{}))
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if got.DesiredStatus != "STOPPED" || !json.Valid(data) || got.Containers == nil {
		t.Errorf("stop: %s", data)
	}
}

func TestTaskLimitsThatAreNoNumbersAreRefused(t *testing.T) {
	if _, err := Start(task(shape.TaskOverride{Cpu: aws.Ptr("much")}), definition(shape.ContainerDefinition{})); err == nil {
		t.Error("an unreadable cpu was composed")
	}
}

// What has members of its own in a payload travels in them.
func TestDefinitionTravels(t *testing.T) {
	d := definition(shape.ContainerDefinition{
		Links:         []string{"db:store"},
		RestartPolicy: &shape.ContainerRestartPolicy{Enabled: aws.Ptr(true), IgnoredExitCodes: []int32{0, 7}, RestartAttemptPeriod: aws.Ptr(int32(60))},
		VolumesFrom:   []shape.VolumeFrom{{SourceContainer: aws.Ptr("db"), ReadOnly: aws.Ptr(true)}},
	})
	d.Document.PidMode, d.Document.IpcMode = aws.Ptr("task"), aws.Ptr("none")
	opts, labels := map[string]string{"type": "tmpfs", "device": "tmpfs"}, map[string]string{"a": "b"}
	d.Document.Volumes = []shape.Volume{{Name: aws.Ptr("v"), DockerVolumeConfiguration: &shape.DockerVolumeConfiguration{
		Scope: aws.Ptr("shared"), Autoprovision: aws.Ptr(true), DriverOpts: opts, Labels: labels,
	}}}
	got := start(t, task(shape.TaskOverride{}), d)
	if got.PidMode != "task" || got.IpcMode != "none" {
		t.Errorf("modes %q and %q", got.PidMode, got.IpcMode)
	}
	c := got.Containers[0]
	if d := cmp.Diff(&session.RestartPolicy{Enabled: true, IgnoredExitCodes: []int{0, 7}, RestartAttemptPeriod: 60}, c.RestartPolicy); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"db:store"}, c.Links); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]session.VolumeFrom{{SourceContainer: "db", ReadOnly: true}}, c.VolumesFrom); d != "" {
		t.Error(d)
	}
	want := []session.Volume{{Name: "v", Type: "docker", Docker: &session.DockerVolume{Scope: "shared", Autoprovision: true, DriverOpts: opts, Labels: labels}}}
	if d := cmp.Diff(want, got.Volumes); d != "" {
		t.Error(d)
	}
}
