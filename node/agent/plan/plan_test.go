package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/node/runtime/spec"
	"github.com/berth-ecs/berth/session"
)

const testARN = "arn:aws:ecs:us-east-1:000000000000:task/default/0123456789abcdef0123456789abcdef"

var testNode = Node{Region: "us-east-1", DataDir: "/data"}

// web is the smallest task; edit changes it.
func web(edit ...func(*session.Task, *session.Container)) session.Task {
	t := session.Task{
		Arn: testARN, TaskClusterArn: "arn:cluster", DesiredStatus: "RUNNING", Family: "web", Version: "3", Overrides: "{}",
		Containers: []session.Container{{
			Name: "web", Image: "busybox", Essential: true, Overrides: "{}",
			DockerConfig: session.DockerConfig{Config: "{}", HostConfig: `{"NetworkMode":"bridge"}`, Version: "1.18"},
		}},
	}
	for _, e := range edit {
		e(&t, &t.Containers[0])
	}
	return t
}

func one(t *testing.T, edit ...func(*session.Task, *session.Container)) Container {
	t.Helper()
	p, err := New(web(edit...), testNode)
	if err != nil {
		t.Fatal(err)
	}
	return p.Containers[0]
}

func TestContainer(t *testing.T) {
	id := "0123456789abcdef0123456789abcdef-0"
	got := one(t)
	want := Container{
		ID: id, Name: "web", Image: "busybox", Essential: true, Hostname: hostname(id), CPUShares: 2, NetworkMode: "bridge",
		LogDriver: "json-file", StopTimeout: 30 * time.Second,
		Labels: map[string]string{
			"com.amazonaws.ecs.cluster": "arn:cluster", "com.amazonaws.ecs.container-name": "web",
			"com.amazonaws.ecs.task-arn": testARN, "com.amazonaws.ecs.task-definition-family": "web",
			"com.amazonaws.ecs.task-definition-version": "3",
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Container{}), cmpopts.EquateComparable(HostEntry{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	env := []string{
		"AWS_EXECUTION_ENV=AWS_ECS_EC2",
		"ECS_AGENT_URI=http://169.254.170.2/api/" + id,
		"ECS_CONTAINER_METADATA_URI=http://169.254.170.2/v3/" + id,
		"ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/" + id,
		"AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=us-east-1",
	}
	if diff := cmp.Diff(env, got.Environ(nil)); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestRegionIsNotOverwritten(t *testing.T) {
	c := one(t, func(_ *session.Task, c *session.Container) {
		c.Environment = map[string]string{"AWS_REGION": "eu-west-1"}
	})
	for _, kv := range c.Environ([]string{"AWS_DEFAULT_REGION=ap-south-1"}) {
		if kv == "AWS_REGION=us-east-1" || strings.HasPrefix(kv, "AWS_DEFAULT_REGION") {
			t.Errorf("%s: the task or the image set it", kv)
		}
	}
}

func TestDockerDocuments(t *testing.T) {
	c := one(t, func(in *session.Task, c *session.Container) {
		c.CPU, c.Memory = 256, 128
		c.DockerConfig.Config = `{"User":"1000:1000","WorkingDir":"/srv","Hostname":"h","StopSignal":"SIGQUIT","Labels":{"a":"b"},
			"Env":["K=V"],"Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":5000000000,"StartPeriod":1000000000}}`
		c.DockerConfig.HostConfig = `{"NetworkMode":"none","ReadonlyRootfs":true,"Privileged":true,"CapAdd":["NET_ADMIN"],
			"CapDrop":["CHOWN"],"Sysctls":{"net.core.somaxconn":"1"},"Ulimits":[{"Name":"nofile","Soft":1,"Hard":-1}],
			"MemoryReservation":67108864,"Tmpfs":{"/run":"size=1m,mode=755"},"Binds":["/host:/in:ro"],
			"ExtraHosts":["db:10.0.0.1"],"Dns":["10.0.0.2"],"DnsSearch":["x"],"LogConfig":{"Type":"awslogs","Config":{"awslogs-group":"g"}},
			"SecurityOpt":["no-new-privileges"],"RestartPolicy":{"Name":"","MaximumRetryCount":0},"ConsoleSize":[0,0],"Devices":[]}`
	})
	want := Container{
		ID: c.ID, Name: "web", Image: "busybox", Essential: true, User: "1000:1000", WorkingDirectory: "/srv", Hostname: "h",
		StopSignal: "SIGQUIT", Labels: c.Labels, CPU: 256, CPUShares: 256, MemoryMiB: 128, MemoryReservationMiB: 64,
		ReadonlyRootfs: true, Privileged: true, CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"CHOWN"},
		Sysctls: map[string]string{"net.core.somaxconn": "1"}, Ulimits: []spec.Ulimit{{Name: "nofile", Soft: 1, Hard: 1<<64 - 1}},
		NetworkMode: "none", LogDriver: "awslogs", LogOptions: map[string]string{"awslogs-group": "g"},
		ExtraHosts: c.ExtraHosts, DNS: Resolver{Servers: []string{"10.0.0.2"}, Search: []string{"x"}},
		Mounts: []spec.Mount{
			{Source: "/host", Target: "/in", ReadOnly: true}, {Target: "/run", Tmpfs: true, Options: []string{"size=1m", "mode=755"}},
		},
		StopTimeout: 30 * time.Second,
		Health: &HealthCheck{
			Args: []string{"/bin/sh", "-c", "true"}, Interval: 5 * time.Second, Timeout: 5 * time.Second, StartPeriod: time.Second, Retries: 3,
		},
	}
	if diff := cmp.Diff(want, c, cmpopts.IgnoreUnexported(Container{}), cmpopts.EquateComparable(HostEntry{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := c.Environ(nil); got[1] != "K=V" || len(got) != 4 {
		t.Errorf("environment %q: has K=V, and no metadata without a network", got)
	}
	if c.Labels["a"] != "b" || c.ExtraHosts[0].Name != "db" {
		t.Errorf("labels %v, hosts %v", c.Labels, c.ExtraHosts)
	}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		name      string
		overrides string
		want      []string
	}{
		{"none", "{}", []string{"a"}},
		{"empty", "", []string{"a"}},
		{"command", `{"command":["b","c"]}`, []string{"b", "c"}},
		{"null", `{"command":null}`, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := one(t, func(_ *session.Task, in *session.Container) { in.Command, in.Overrides = []string{"a"}, c.overrides })
			if diff := cmp.Diff(c.want, got.Command); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStopTimeout(t *testing.T) {
	zero := int64(0)
	for _, c := range []struct {
		name string
		edit func(*session.Task, *session.Container)
		want time.Duration
	}{
		{"default", func(*session.Task, *session.Container) {}, 30 * time.Second},
		{"given as zero", func(_ *session.Task, c *session.Container) { c.StopTimeout = &zero }, 0},
		{"Docker's", func(_ *session.Task, c *session.Container) { c.DockerConfig.Config = `{"StopTimeout":7}` }, 7 * time.Second},
	} {
		if got := one(t, c.edit).StopTimeout; got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

type edit = func(*session.Task, *session.Container)

func withConfig(doc string) edit {
	return func(_ *session.Task, c *session.Container) { c.DockerConfig.Config = doc }
}

func withHost(doc string) edit {
	return func(_ *session.Task, c *session.Container) { c.DockerConfig.HostConfig = doc }
}

var refusals = []struct {
	want string
	edit edit
}{
	{"32 hex digits", func(in *session.Task, _ *session.Container) { in.Arn = "arn:x/1" }},
	{"containers: a task needs", func(in *session.Task, _ *session.Container) { in.Containers = nil }},
	{"awsvpc: this node takes part in no", func(in *session.Task, _ *session.Container) { in.NetworkMode = "awsvpc" }},
	{`networkMode "nat"`, func(in *session.Task, _ *session.Container) { in.NetworkMode = "nat" }},
	{`pidMode "x"`, func(in *session.Task, _ *session.Container) { in.PidMode = "x" }},
	{`ipcMode "x"`, func(in *session.Task, _ *session.Container) { in.IpcMode = "x" }},
	{"roleCredentials", func(in *session.Task, _ *session.Container) { in.RoleCredentials = &session.IAMRoleCredentials{} }},
	{"enableFaultInjection", func(in *session.Task, _ *session.Container) { in.EnableFaultInjection = true }},
	{"overrides", func(in *session.Task, _ *session.Container) { in.Overrides = `{"cpu":1}` }},
	{"must not be negative", func(in *session.Task, _ *session.Container) { in.CPU = -1 }},
	{"image: is required", func(_ *session.Task, c *session.Container) { c.Image = "" }},
	{`container name ""`, func(_ *session.Task, c *session.Container) { c.Name = "" }},
	{"secrets", func(_ *session.Task, c *session.Container) { c.Secrets = []session.Secret{{}} }},
	{"environmentFiles", func(_ *session.Task, c *session.Container) { c.EnvironmentFiles = []session.EnvironmentFile{{}} }},
	{"registryAuthentication", func(_ *session.Task, c *session.Container) {
		c.RegistryAuthentication = &session.RegistryAuthentication{Type: "asm"}
	}},
	{"overrides.environment", func(_ *session.Task, c *session.Container) { c.Overrides = `{"environment":[]}` }},
	{"overrides.command", func(_ *session.Task, c *session.Container) { c.Overrides = `{"command":1}` }},
	{"must be a JSON object", func(_ *session.Task, c *session.Container) { c.Overrides = `[]` }},
	{"startTimeout", func(_ *session.Task, c *session.Container) { c.StartTimeout = -1 }},
	{"docker health check is nil", func(_ *session.Task, c *session.Container) { c.HealthCheckType = "docker" }},
	{"sourceVolume", func(_ *session.Task, c *session.Container) { c.MountPoints = []session.MountPoint{{SourceVolume: "v"}} }},
	{"volumesFrom", func(_ *session.Task, c *session.Container) {
		c.VolumesFrom = []session.VolumeFrom{{SourceContainer: "x"}}
	}},
	{"protocol", func(_ *session.Task, c *session.Container) {
		c.PortMappings = []session.PortMapping{{Protocol: "sctp"}}
	}},
	{"dependsOn condition", func(_ *session.Task, c *session.Container) { c.DependsOn = []session.DependsOn{{Condition: "X"}} }},
	{"dockerConfig.config: must be a JSON object", withConfig(`[`)},
	{"dockerConfig.config.Volumes", withConfig(`{"Volumes":{"/x":{"a":1}}}`)},
	{"dockerConfig.config: json", withConfig(`{"User":1}`)},
	{"healthCheck.Test", withConfig(`{"Healthcheck":{"Test":["true"]}}`)},
	{"healthCheck.Test", withConfig(`{"Healthcheck":{"Test":["CMD"]}}`)},
	{"healthCheck: interval", withConfig(`{"Healthcheck":{"Test":["CMD","x"],"Interval":-1}}`)},
	{"devices", withHost(`{"Devices":[{"PathOnHost":"dev/x"}]}`)},
	{"sharedMemorySize", withHost(`{"ShmSize":-1}`)},
	{"MemorySwap", withHost(`{"Memory":67108864,"MemorySwap":-1}`)},
	{"always set the Memory limit", withHost(`{"MemorySwap":67108864}`)},
	{"Minimum memoryswap limit", withHost(`{"Memory":67108864,"MemorySwap":1048576}`)},
	{"swappiness 101", withHost(`{"MemorySwappiness":101}`)},
	{"dockerConfig.hostConfig.RestartPolicy", withHost(`{"RestartPolicy":{"Name":"always"}}`)},
	{"dockerConfig.hostConfig.UnheardOf", withHost(`{"UnheardOf":"x"}`)},
	{"SecurityOpt", withHost(`{"SecurityOpt":["apparmor=x"]}`)},
	{"NetworkMode", withHost(`{"NetworkMode":"container:x"}`)},
	{"ExtraHosts", withHost(`{"ExtraHosts":["nope"]}`)},
	{"Dns", withHost(`{"Dns":["nope"]}`)},
	{"Binds", withHost(`{"Binds":["relative:/x"]}`)},
	{"Binds", withHost(`{"Binds":["/a:/b:shared"]}`)},
	{"mount target", withHost(`{"Binds":["/a:b"]}`)},
	{"is used twice", withHost(`{"Binds":["/a:/b","/c:/b/"]}`)},
	{"logDriver", withHost(`{"LogConfig":{"Type":"splunk"}}`)},
	{"ulimit nofile", withHost(`{"Ulimits":[{"Name":"nofile","Soft":2,"Hard":1}]}`)},
	{"memoryReservation", func(_ *session.Task, c *session.Container) {
		c.Memory, c.DockerConfig.HostConfig = 1, `{"MemoryReservation":2097152}`
	}},
	{"cannot publish ports", func(_ *session.Task, c *session.Container) {
		c.PortMappings, c.DockerConfig.HostConfig = []session.PortMapping{{ContainerPort: 80}}, `{"NetworkMode":"none"}`
	}},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		_, err := New(web(c.edit), testNode)
		var r *Refusal
		if !errors.As(err, &r) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(r.Reason, "UnrecogniedTaskError: ") {
			t.Errorf("want a refusal with %q, got %v", c.want, err)
		}
	}
}

func TestDependencies(t *testing.T) {
	pair := func(a, b []session.DependsOn) session.Task {
		return web(func(in *session.Task, c *session.Container) {
			other := *c
			other.Name, other.DependsOn = "other", b
			c.DependsOn = a
			in.Containers = append(in.Containers, other)
		})
	}
	on := func(name, condition string) []session.DependsOn {
		return []session.DependsOn{{ContainerName: name, Condition: condition}}
	}
	for _, c := range []struct {
		name string
		in   session.Task
		want string
	}{
		{"good", pair(on("other", "COMPLETE"), nil), ""},
		{"unknown", pair(on("nobody", "START"), nil), "Task dependencies cannot be resolved, taskArn: " + testARN},
		{"self", pair(on("web", "START"), nil), "Task dependencies cannot be resolved, taskArn: " + testARN},
		{"cycle", pair(on("other", "START"), on("web", "START")), "Task dependencies cannot be resolved, taskArn: " + testARN},
		{"no check", pair(on("other", "HEALTHY"), nil), "no health check"},
	} {
		p, err := New(c.in, testNode)
		switch {
		case c.want == "" && (err != nil || len(p.Dependents(1)) != 1 || p.Dependents(1)[0] != 0 || p.Dependents(0) != nil):
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestVolumes(t *testing.T) {
	docker := func(d session.DockerVolume) session.Volume {
		return session.Volume{Name: "v", Type: "docker", Docker: &d}
	}
	opts := map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
	own := Volume{Name: "v", Path: "/data/tasks/0123456789abcdef0123456789abcdef/volumes/v", Make: true, Own: true}
	for _, c := range []struct {
		name string
		in   session.Volume
		want Volume
		err  string
	}{
		{name: "host", in: session.Volume{Name: "v", Type: "host", Host: &session.HostVolume{SourcePath: "/a/../b"}}, want: Volume{Name: "v", Path: "/b", Make: true}},
		{name: "empty host", in: session.Volume{Name: "v", Type: "host", Host: &session.HostVolume{}}, want: own},
		{name: "task", in: docker(session.DockerVolume{Scope: "task", Driver: "local"}), want: own},
		{name: "shared", in: docker(session.DockerVolume{Scope: "shared", Autoprovision: true}), want: Volume{Name: "v", Path: "/data/volumes/v", Make: true, Shared: true}},
		{name: "shared that must be there", in: docker(session.DockerVolume{Scope: "shared"}), want: Volume{Name: "v", Path: "/data/volumes/v", Shared: true}},
		{name: "relative", in: session.Volume{Name: "v", Host: &session.HostVolume{SourcePath: "a"}}, err: "must be absolute"},
		{name: "driver", in: docker(session.DockerVolume{Driver: "rexray"}), err: "driver"},
		{name: "mounted", in: docker(session.DockerVolume{DriverOpts: opts, Labels: opts}), want: Volume{
			Name: "v", Path: "/data/mounts/0123456789abcdef0123456789abcdef/v", Make: true, Own: true, Labels: opts, DriverOpts: opts}},
		{name: "mounted and shared", in: docker(session.DockerVolume{Scope: "shared", DriverOpts: opts}), want: Volume{
			Name: "v", Path: "/data/volumes/v", Shared: true, DriverOpts: opts}},
		{name: "unheard option", in: docker(session.DockerVolume{DriverOpts: map[string]string{"a": "b"}}), err: `driverOpts: invalid option: "a"`},
		{name: "no device", in: docker(session.DockerVolume{DriverOpts: map[string]string{"type": "nfs"}}), err: `missing required option: "device"`},
		{name: "no type", in: docker(session.DockerVolume{DriverOpts: map[string]string{"device": "x"}}), err: `missing required option: "type"`},
		{name: "scope", in: docker(session.DockerVolume{Scope: "x"}), err: "scope"},
		{name: "efs", in: session.Volume{Name: "v", Type: "efs"}, err: `type "efs"`},
		{name: "name", in: session.Volume{Name: "../v"}, err: "volume name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := New(web(func(in *session.Task, ct *session.Container) {
				in.Volumes = []session.Volume{c.in}
				ct.MountPoints = []session.MountPoint{{SourceVolume: c.in.Name, ContainerPath: "/m", ReadOnly: true}}
			}), testNode)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Volume{c.want}, p.Volumes); diff != "" {
				t.Errorf("volumes (-want +got):\n%s", diff)
			}
			mount := []spec.Mount{{Source: c.want.Path, Target: "/m", ReadOnly: true}}
			if diff := cmp.Diff(mount, p.Containers[0].Mounts); diff != "" {
				t.Errorf("mounts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVolumesFrom(t *testing.T) {
	in := web(func(in *session.Task, c *session.Container) {
		in.Volumes = []session.Volume{{Name: "a"}, {Name: "b"}}
		other := *c
		other.Name = "other"
		other.MountPoints = []session.MountPoint{{SourceVolume: "a", ContainerPath: "/a"}, {SourceVolume: "b", ContainerPath: "/x"}}
		c.MountPoints = []session.MountPoint{{SourceVolume: "b", ContainerPath: "/x"}}
		c.VolumesFrom = []session.VolumeFrom{{SourceContainer: "other", ReadOnly: true}}
		in.Containers = append(in.Containers, other)
	})
	p, err := New(in, testNode)
	if err != nil {
		t.Fatal(err)
	}
	dir := Dir("/data", p.ID) + "/volumes/"
	want := []spec.Mount{{Source: dir + "a", Target: "/a", ReadOnly: true}, {Source: dir + "b", Target: "/x"}}
	if diff := cmp.Diff(want, p.Containers[0].Mounts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever two documents say, the answer is a plan or a refusal, and the same one each time.
func TestDocumentsNeverPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"User", "Tty", "NetworkMode", "Healthcheck", "Ulimits", "Binds", "Memory", "Tmpfs", "X"})
		value := rapid.SampledFrom([]string{`1`, `-1`, `"a"`, `"/a:/b"`, `["a"]`, `["/a:/b"]`, `{}`, `{"Test":["CMD","a"]}`, `null`, `true`, `[{"Name":"n"}]`})
		doc := func(name string) string { return `{"` + key.Draw(t, name) + `":` + value.Draw(t, name+" value") + `}` }
		in := web(func(_ *session.Task, c *session.Container) {
			c.DockerConfig = session.DockerConfig{Config: doc("config"), HostConfig: doc("host")}
		})
		a, errA := New(in, testNode)
		b, errB := New(in, testNode)
		var r *Refusal
		if errA != nil && !errors.As(errA, &r) {
			t.Fatalf("not a refusal: %v", errA)
		}
		if (errA == nil) != (errB == nil) || !cmp.Equal(a, b, cmp.AllowUnexported(Container{}), cmpopts.EquateComparable(HostEntry{})) {
			t.Fatalf("two plans of one payload differ: %v, %v", errA, errB)
		}
	})
}
