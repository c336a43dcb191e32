package plan

import (
	"strings"
	"testing"

	"github.com/berth-ecs/berth/session"
)

func TestWhichTasksGetASandbox(t *testing.T) {
	asks := `{"Labels":{"berth.sandbox":"gvisor"}}`
	for name, c := range map[string]struct {
		can    Sandboxes
		change func(*session.Task, *session.Container)
		config string
		want   bool
		says   string // of a refusal
	}{
		"FARGATE":                             {can: AllSandboxes, change: func(t *session.Task, _ *session.Container) { t.LaunchType = "FARGATE" }, want: true},
		"FARGATE on runc":                     {can: AskedSandboxes, change: func(t *session.Task, _ *session.Container) { t.LaunchType = "FARGATE" }},
		"FARGATE without gVisor":              {change: func(t *session.Task, _ *session.Container) { t.LaunchType = "FARGATE" }},
		"FARGATE, without a program of users": {can: AllSandboxes, change: func(t *session.Task, k *session.Container) { t.LaunchType, k.Image = "FARGATE", session.PauseImage }},
		"EC2":                                 {can: AllSandboxes},
		"EC2 that asks":                       {can: AskedSandboxes, config: asks, want: true},
		"it shares processes in itself":       {can: AskedSandboxes, config: asks, change: func(t *session.Task, _ *session.Container) { t.PidMode = "task" }, want: true},
		"asks for another":                    {can: AllSandboxes, config: `{"Labels":{"berth.sandbox":"kata"}}`, says: "must be gvisor"},
		"without gVisor":                      {config: asks, says: "no gVisor"},
		"on the bridge":                       {can: AllSandboxes, config: asks, change: func(t *session.Task, _ *session.Container) { t.NetworkMode = "bridge" }, says: "networkMode must be awsvpc, not bridge"},
		"the machine's processes":             {can: AllSandboxes, config: asks, change: func(t *session.Task, _ *session.Container) { t.PidMode = "host" }, says: "pidMode may be task"},
		"privileged": {can: AllSandboxes, config: asks, change: func(_ *session.Task, c *session.Container) {
			c.DockerConfig.HostConfig = strings.Replace(c.DockerConfig.HostConfig, "{}", `{"Privileged":true}`, 1)
		}, says: "privileged"},
	} {
		n := testNode
		n.Interfaces, n.Sandboxes = true, c.can
		p, err := New(web(func(t *session.Task, k *session.Container) {
			t.NetworkMode, t.Memory, t.SandboxMemory = "awsvpc", 512, 40
			t.ElasticNetworkInterfaces = []session.ElasticNetworkInterface{{
				EC2ID: "eni-1", AttachmentArn: "arn:a", MacAddress: "0a:00:00:00:00:01",
				IPv4Addresses: []session.IPv4Address{{Primary: true, PrivateAddress: "10.0.0.4"}}, SubnetGatewayIpv4Address: "10.0.0.1/24",
			}}
			k.PortMappings, k.DockerConfig.HostConfig = nil, "{}"
			if c.config != "" {
				k.DockerConfig.Config = c.config
			}
			if c.change != nil {
				c.change(t, k)
			}
		}), n)
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, not %q", name, err, c.says)
			}
		case err == nil && p.BesideMiB != map[bool]int64{true: 40}[p.Sandbox]:
			t.Errorf("%s: %d MiB beside its own", name, p.BesideMiB)
		case err != nil || p.Sandbox != c.want:
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
}
