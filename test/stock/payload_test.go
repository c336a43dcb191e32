package stock

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// payload is what the agent reads of a PayloadMessage; it takes one task to be acknowledged at all.
type payload struct {
	ClusterArn, ContainerInstanceArn, MessageID string
	SeqNum, Timeline                            int64
	Tasks                                       []task
}

type task struct {
	Arn, TaskClusterArn, DesiredStatus, Family, Version, Overrides, NetworkMode, PidMode, IpcMode string
	CPU                                                                                           float64
	Memory                                                                                        int64
	Containers                                                                                    []containerOf
	Volumes                                                                                       []volume
}

type containerOf struct {
	Name, Image, Overrides, HealthCheckType string
	Command, EntryPoint, Links              []string
	Environment                             map[string]string
	Essential                               bool
	CPU, Memory                             int64
	PortMappings                            []struct {
		ContainerPort, HostPort      int
		ContainerPortRange, Protocol string
	}
	MountPoints   []struct{ SourceVolume, ContainerPath string }
	VolumesFrom   []struct{ SourceContainer string }
	DependsOn     []struct{ ContainerName, Condition string }
	RestartPolicy *struct {
		Enabled              bool
		IgnoredExitCodes     []int
		RestartAttemptPeriod int
	}
	DockerConfig struct{ Config, HostConfig, Version string }
}

type volume struct {
	Name, Type string
	Host       *struct{ SourcePath string }
	Docker     *struct {
		Scope, Driver string
		Autoprovision bool
	} `json:"dockerVolumeConfiguration"`
}

// dockerConfig and dockerHostConfig are the members of Docker's API of which the server may use any and no other: the agent
// reads the documents over what it built.
type dockerConfig struct {
	User, WorkingDir, Hostname string
	Tty, OpenStdin             bool
	NetworkDisabled            bool
	Labels                     map[string]string
	StopSignal                 string
	Healthcheck                *struct {
		Test                           []string
		Interval, Timeout, StartPeriod int64 // nanoseconds
		Retries                        int
	}
}

type dockerHostConfig struct {
	NetworkMode, PidMode, IpcMode string
	Privileged, ReadonlyRootfs    bool
	Init                          *bool
	CapAdd, CapDrop, DNS          []string
	DNSSearch                     []string `json:"DnsSearch"`
	ExtraHosts, SecurityOpt       []string
	Sysctls, Tmpfs                map[string]string
	Devices                       []struct{ PathOnHost, PathInContainer, CgroupPermissions string }
	Ulimits                       []struct {
		Name       string
		Soft, Hard int64
	}
	LogConfig *struct {
		Type   string
		Config map[string]string
	}
	ShmSize, MemoryReservation, MemorySwap int64
	MemorySwappiness                       *int64
}

func strict(t *agent, what, document string, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(document)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v in %s", what, err, document)
	}
}

// check holds a payload to what the agent insists on.
func (p *payload) check(a *agent) {
	a.Helper()
	if p.ClusterArn == "" || p.ContainerInstanceArn != a.arn || p.MessageID == "" {
		a.Fatalf("a payload that the agent drops: %+v", p)
	}
	if len(p.Tasks) != 1 {
		a.Fatalf("%d tasks in one payload", len(p.Tasks))
	}
	if p.SeqNum <= 0 || p.Timeline <= 0 {
		a.Fatalf("a payload without a number: %+v", p)
	}
	t := &p.Tasks[0]
	if !strings.HasPrefix(t.Arn, "arn:aws:ecs:") || !slices.Contains([]string{"RUNNING", "STOPPED"}, t.DesiredStatus) || t.Version == "" {
		a.Fatalf("a task that the agent cannot load: %+v", t)
	}
	for i := range t.Containers {
		t.Containers[i].check(a, t)
	}
	if t.DesiredStatus == "RUNNING" && len(t.Containers) == 0 {
		a.Fatalf("a task to run without containers: %+v", t)
	}
}

func (c *containerOf) check(a *agent, t *task) {
	a.Helper()
	if c.Name == "" || c.Image == "" || c.DockerConfig.Version == "" {
		a.Fatalf("a container that the agent cannot make: %+v", c)
	}
	var overrides struct{ Command []string }
	strict(a, "overrides", c.Overrides, &overrides)
	config, host := c.docker(a)
	if host.NetworkMode == "" || host.NetworkMode != t.NetworkMode {
		a.Fatalf("NetworkMode %q of a task of mode %q", host.NetworkMode, t.NetworkMode)
	}
	if (c.HealthCheckType != "") != (config.Healthcheck != nil) {
		a.Fatalf("healthCheckType %q and Healthcheck %v", c.HealthCheckType, config.Healthcheck)
	}
	for _, m := range c.MountPoints {
		if !slices.ContainsFunc(t.Volumes, func(v volume) bool { return v.Name == m.SourceVolume }) {
			a.Fatalf("no volume %q", m.SourceVolume)
		}
	}
	for _, v := range t.Volumes {
		if (v.Type == "host") != (v.Host != nil) || (v.Type == "docker") != (v.Docker != nil) {
			a.Fatalf("volume %+v", v)
		}
	}
}

func (c *containerOf) docker(a *agent) (config dockerConfig, host dockerHostConfig) {
	a.Helper()
	strict(a, "dockerConfig.config", c.DockerConfig.Config, &config)
	strict(a, "dockerConfig.hostConfig", c.DockerConfig.HostConfig, &host)
	return config, host
}
