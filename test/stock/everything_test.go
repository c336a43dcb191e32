package stock

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// A task definition of everything that the real agent was seen to run, and an override: what the payload says of it is
// what the agent gave to Docker.
func TestEverythingInOnePayload(t *testing.T) {
	s := newServer(t)
	a := s.newAgent()
	if err := a.call("RegisterTaskDefinition", a.text("everything"), &struct{}{}); err != nil {
		t.Fatal(err)
	}
	out := must(s.ecs.RunTask(s.ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("everything"), LaunchType: types.LaunchTypeExternal, Overrides: &types.TaskOverride{
		ContainerOverrides: []types.ContainerOverride{{Name: aws.String("a"), Command: []string{"sleep 601"}, Memory: aws.Int32(60), Cpu: aws.Int32(60),
			Environment: []types.KeyValuePair{{Name: aws.String("B"), Value: aws.String("3")}}}},
	}}))(t)
	if len(out.Tasks) != 1 {
		t.Fatalf("%+v", out.Failures)
	}
	got := a.take().Tasks[0]
	by := map[string]containerOf{}
	for _, c := range got.Containers {
		by[c.Name] = c
	}
	first, second, third, fourth := by["a"], by["b"], by["c"], by["d"]
	config, host := first.docker(a)
	for what, ok := range map[string]bool{
		"the task's limits": got.CPU == 0.25 && got.Memory == 128 && got.Overrides == "{}",
		"the volume":        len(got.Volumes) == 1 && got.Volumes[0].Type == "docker" && got.Volumes[0].Docker.Scope == "shared" && got.Volumes[0].Docker.Autoprovision && got.Volumes[0].Docker.Driver == "local",
		"command":           slices.Equal(first.EntryPoint, []string{"sh", "-c"}) && slices.Equal(first.Command, []string{"sleep 601"}) && first.Overrides == "{}",
		"environment":       maps.Equal(first.Environment, map[string]string{"A": "1", "B": "3"}),
		"limits":            first.Memory == 60 && first.CPU == 60 && host.MemoryReservation == 32<<20 && host.MemorySwap == (60+64)<<20 && *host.MemorySwappiness == 10,
		"host name":         config.Hostname == "hosty" && slices.Equal(host.DNS, []string{"9.9.9.9"}) && slices.Equal(host.DNSSearch, []string{"ex.test"}),
		"terminal":          config.Tty && config.OpenStdin,
		"kernel":            host.Sysctls["net.ipv4.tcp_keepalive_time"] == "500" && host.ShmSize == 16<<20 && slices.Equal(host.SecurityOpt, []string{"no-new-privileges"}),
		"device":            len(host.Devices) == 1 && host.Devices[0].PathInContainer == "/dev/mynull" && host.Devices[0].CgroupPermissions == "r",
		"log":               host.LogConfig.Type == "json-file" && host.LogConfig.Config["max-size"] == "1m",
		"ports":             len(first.PortMappings) == 2 && first.PortMappings[0].HostPort == 5353 && first.PortMappings[0].Protocol == "udp",
		"port range":        third.PortMappings[0].ContainerPortRange == "9000-9002" && third.PortMappings[0].Protocol == "tcp",
		"link":              slices.Equal(third.Links, []string{"a:al"}),
		"volumes from":      len(second.VolumesFrom) == 1 && second.VolumesFrom[0].SourceContainer == "a",
		"order":             len(second.DependsOn) == 1 && second.DependsOn[0].Condition == "START",
		"restart":           fourth.RestartPolicy != nil && fourth.RestartPolicy.Enabled && fourth.RestartPolicy.RestartAttemptPeriod == 60 && slices.Equal(fourth.RestartPolicy.IgnoredExitCodes, []int{0}),
		"essential":         first.Essential && !second.Essential,
		"network mode":      host.NetworkMode == "bridge" && got.NetworkMode == "bridge",
	} {
		if !ok {
			t.Errorf("%s: %+v\n%s\n%s", what, got, first.DockerConfig.Config, first.DockerConfig.HostConfig)
		}
	}
}

// Host and none say so in Docker's document, too.
func TestNetworkModes(t *testing.T) {
	s := newServer(t)
	a := s.newAgent()
	for _, mode := range []types.NetworkMode{types.NetworkModeHost, types.NetworkModeNone} {
		must(s.ecs.RegisterTaskDefinition(s.ctx, &ecs.RegisterTaskDefinitionInput{Family: aws.String("m"), NetworkMode: mode,
			ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("web"), Image: aws.String("busybox:1"), Memory: aws.Int32(64)}}}))(t)
		s.run("m")
		p := a.take() // which holds the two to each other
		if p.Tasks[0].NetworkMode != string(mode) {
			t.Errorf("%s: %+v", mode, p)
		}
	}
}
