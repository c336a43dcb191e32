package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func linux(l types.LinuxParameters) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) { c.LinuxParameters = &l }
}

func sysctl(name, value string) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.SystemControls = append(c.SystemControls, types.SystemControl{Namespace: &name, Value: &value})
	}
}

// Each row looks from inside at one field that works; docs/task-definition.md is held to these names.
func TestParameterIsWhatItsDefinitionSays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*types.ContainerDefinition)
		script string
		want   string
	}{
		"linuxParameters.initProcessEnabled": {
			linux(types.LinuxParameters{InitProcessEnabled: aws.Bool(true)}),
			"tr '\\0' ' ' < /proc/1/cmdline | cut -c1-20; (sleep 0 &); sleep 1; grep -c '^State:.Z' /proc/[0-9]*/status | grep -c ':1$'", "/sbin/docker-init --\n0",
		},
		"linuxParameters.sharedMemorySize": {
			linux(types.LinuxParameters{SharedMemorySize: aws.Int32(5)}), "grep ' /dev/shm ' /proc/mounts | grep -o 'size=[0-9]*k'", "size=5120k",
		},
		"linuxParameters.devices": {
			linux(types.LinuxParameters{Capabilities: &types.KernelCapabilities{Add: []string{"SYSLOG"}}, Devices: []types.Device{{
				HostPath: aws.String("/dev/kmsg"), ContainerPath: aws.String("/dev/mine"), Permissions: []types.DeviceCgroupPermission{types.DeviceCgroupPermissionRead},
			}}}), "stat -c '%t:%T' /dev/mine; (: < /dev/mine) && echo read; (: > /dev/mine) 2>/dev/null || echo refused", "1:b\nread\nrefused",
		},
		"linuxParameters.swappiness": {
			linux(types.LinuxParameters{MaxSwap: aws.Int32(16), Swappiness: aws.Int32(7)}),
			"cd /sys/fs/cgroup; cat memory/memory.memsw.limit_in_bytes memory/memory.swappiness 2>/dev/null || { cat memory.swap.max; echo 7; }",
			map[bool]string{true: "16777216\n7", false: "50331648\n7"}[unified()],
		},
		"linuxParameters.tmpfs": {
			linux(types.LinuxParameters{Tmpfs: []types.Tmpfs{{ContainerPath: aws.String("/t"), Size: 2, MountOptions: []string{"exec", "mode=700"}}}}),
			"grep ' /t ' /proc/mounts | grep -o 'size=[0-9]*k'; stat -c %a /t; printf '#!/bin/sh\\necho ran\\n' > /t/x; chmod 700 /t/x; /t/x", "size=2048k\n700\nran",
		},
		"systemControls": {
			func(c *types.ContainerDefinition) {
				sysctl("net.core.somaxconn", "77")(c)
				sysctl("kernel.msgmax", "4097")(c)
			}, "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax", "77\n4097",
		},
		"pseudoTerminal": {
			func(c *types.ContainerDefinition) { c.PseudoTerminal = aws.Bool(true) }, "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo $TERM; ls -l /dev/console | cut -c1", "xterm\r\nc",
		},
		"interactive": {
			func(c *types.ContainerDefinition) { c.Interactive = aws.Bool(true) }, "exec 2>/dev/null; timeout 1 cat || echo waits", "waits",
		},
		"dnsServers": {
			func(c *types.ContainerDefinition) {
				c.DnsServers, c.DnsSearchDomains = []string{"10.1.2.3", "10.1.2.4"}, []string{"a.example", "b.example"}
			}, "cat /etc/resolv.conf | grep -v ^options", "nameserver 10.1.2.3\nnameserver 10.1.2.4\nsearch a.example b.example",
		},
		"hostname": {
			func(c *types.ContainerDefinition) { c.Hostname = aws.String("here") },
			"hostname; cat /etc/hostname; echo $HOSTNAME; grep -c '[0-9.]*.here$' /etc/hosts; head -n2 /etc/hosts | tr '\\t' ' '", "here\nhere\nhere\n1\n127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback",
		},
		"dockerLabels": {
			func(c *types.ContainerDefinition) { c.DockerLabels = map[string]string{"of.mine": "yes"} },
			"wget -q -O- $ECS_CONTAINER_METADATA_URI_V4 | grep -o '\"of.mine\": *\"yes\"' | tr -d ' '; wget -q -O- $ECS_CONTAINER_METADATA_URI_V4 | grep -c com.amazonaws.ecs.task-arn",
			`"of.mine":"yes"` + "\n1",
		},
		"disableNetworking": {
			func(c *types.ContainerDefinition) { c.DisableNetworking = aws.Bool(true) }, "ls /sys/class/net", "lo",
		},
		"runtimePlatform": {script: "uname -s", want: "Linux"},
		"dockerSecurityOptions": {
			func(c *types.ContainerDefinition) { c.DockerSecurityOptions = []string{"no-new-privileges"} },
			"grep ^NoNewPrivs /proc/self/status | tr -d '\\t'", "NoNewPrivs:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := script("main", test.script)
			if test.change != nil {
				test.change(&c)
			}
			if diff := cmp.Diff(test.want, printed(t, c)); diff != "" {
				t.Errorf("the container saw (-want +got):\n%s", diff)
			}
		})
	}
}

// unified says whether the machine has cgroup v2.
func unified() bool {
	return exists("/sys/fs/cgroup/cgroup.controllers")
}

// A link is a name in /etc/hosts that leads to what is linked to, which runs first; and Docker's variables.
func TestLinks(t *testing.T) {
	t.Parallel()
	web := script("web", "until wget -q -O- http://store:8080/ 2>/dev/null; do sleep 0.1; done; echo $STORE_PORT_8080_TCP_PROTO $STORE_ENV_ANSWER; grep -c 'store .* ecs-' /etc/hosts; [ $STORE_PORT_8080_TCP_ADDR = $(grep store /etc/hosts | cut -f1) ] && echo same")
	web.Links = []string{"db:store"}
	db := peer("db", "tcp:8080")
	db.Essential = aws.Bool(false)
	task := finished(t, define(t, web, db))
	got := output(t, *task.TaskArn, "web")
	if !strings.HasPrefix(got, "db") {
		t.Errorf("the linked container answered %q", got)
	}
	if !strings.HasSuffix(got, "tcp db\n1\nsame\n") {
		t.Errorf("variables and hosts: %q", got)
	}
}

// A device that is not there is the container's reason not to start.
func TestDeviceThatIsNotThere(t *testing.T) {
	t.Parallel()
	task := finished(t, define(t, script("main", "true", linux(types.LinuxParameters{Devices: []types.Device{{HostPath: aws.String("/dev/no-such")}}}))))
	equal(t, "stopCode", task.StopCode, types.TaskStopCodeTaskFailedToStart)
	if reason := aws.ToString(containerOf(t, task, "main").Reason); !strings.Contains(reason, `adding custom device "/dev/no-such"`) {
		t.Errorf("the reason is %q", reason)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
