package runtimes

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// probe is a question that both runtimes are asked.
type probe struct {
	what    string
	runc    string // the answer
	sandbox string // "": the same

	// script is run by a container of its own, which change may change; or asks asks.
	script string
	change func(*types.ContainerDefinition)
	asks   func(*world) string
}

func parameters(c *types.ContainerDefinition) *types.LinuxParameters {
	if c.LinuxParameters == nil {
		c.LinuxParameters = &types.LinuxParameters{}
	}
	return c.LinuxParameters
}

// same are answers of one container.
var single = []probe{
	{what: "`environment`", runc: "b", script: `echo $A`, change: func(c *types.ContainerDefinition) {
		c.Environment = []types.KeyValuePair{variable("A", "b")}
	}},
	{what: "`user` and `workingDirectory`", runc: "1000 1000 /home/app /home/app", script: `id -u; id -g; echo $HOME; pwd`, change: func(c *types.ContainerDefinition) {
		c.User, c.WorkingDirectory = aws.String("app"), aws.String("/home/app")
	}},
	{what: "`readonlyRootFilesystem`", runc: "read-only", script: `touch /x 2>/dev/null && echo writable || echo read-only`, change: func(c *types.ContainerDefinition) {
		c.ReadonlyRootFilesystem = aws.Bool(true)
	}},
	{what: "`initProcessEnabled`", runc: "/sbin/docker-init --", script: `tr '\0' ' ' < /proc/1/cmdline | head -c 20`, change: func(c *types.ContainerDefinition) {
		parameters(c).InitProcessEnabled = aws.Bool(true)
	}},
	{what: "`tmpfs`", runc: "limited", script: `grep -q ' /t tmpfs ' /proc/mounts && dd if=/dev/zero of=/t/f bs=1k count=2048 2>/dev/null && echo not limited || echo limited`, change: func(c *types.ContainerDefinition) {
		parameters(c).Tmpfs = []types.Tmpfs{{ContainerPath: aws.String("/t"), Size: 1}}
	}},
	{what: "`sharedMemorySize`", runc: "limited", script: `dd if=/dev/zero of=/dev/shm/f bs=1k count=4096 2>/dev/null && echo not limited || echo limited`, change: func(c *types.ContainerDefinition) {
		parameters(c).SharedMemorySize = aws.Int32(3)
	}},
	{what: "`ulimits`", runc: "100 200", script: `ulimit -n; ulimit -Hn`, change: func(c *types.ContainerDefinition) {
		c.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 100, HardLimit: 200}}
	}},
	{what: "`systemControls` (`net.core.somaxconn`)", runc: "applied", sandbox: "not applied", script: `[ $(cat /proc/sys/net/core/somaxconn) = 77 ] && echo applied || echo not applied`, change: func(c *types.ContainerDefinition) {
		c.SystemControls = []types.SystemControl{{Namespace: aws.String("net.core.somaxconn"), Value: aws.String("77")}}
	}},
	{what: "`capabilities`, but for `NET_RAW`", runc: "a80c05fa", script: `v=$(grep CapEff /proc/self/status); printf '%x' $((0x${v#*0000} & ~0x2000))`, change: func(c *types.ContainerDefinition) {
		parameters(c).Capabilities = &types.KernelCapabilities{Add: []string{"SYS_PTRACE"}, Drop: []string{"CHOWN"}}
	}},
	{what: "`pseudoTerminal`", runc: "terminal xterm", script: `[ -t 1 ] && echo terminal $TERM`, change: func(c *types.ContainerDefinition) {
		c.PseudoTerminal = aws.Bool(true)
	}},
	{what: "exit codes", runc: "exit code 7", script: `exit 7`},
	{what: "the code of what a signal ended", runc: "137", script: `{ sh -c 'kill -9 $$'; n=$?; } 2>/dev/null; echo $n`},
	{what: "output of both streams", runc: "out err", script: `echo out; usleep 200000; echo err >&2`},
	{what: "raw sockets (`NET_RAW`)", runc: "allowed", sandbox: "operation not permitted", script: `probe raw`},
	{what: "limit of processes (`task-pids-limit`)", runc: "limited", sandbox: "not limited", script: fmt.Sprintf(`probe crowd %d`, mostProcesses+50), change: func(c *types.ContainerDefinition) {
		c.Memory = aws.Int32(400)
	}},
	{what: "kernel", runc: "the machine's", sandbox: "another", change: machine, script: `[ "$(cat /proc/sys/kernel/random/boot_id)" = $BOOT ] && echo the machine\'s || echo another`},
	{what: "memory in `/proc/meminfo`, of a task of 512 MiB", runc: "the machine's", sandbox: "512 MiB", change: machine,
		script: `set -- $(grep MemTotal /proc/meminfo); [ $2 = $MEMORY ] && echo the machine\'s || echo $(($2 / 1024)) MiB`},
	{what: "`/sys/fs/cgroup`", runc: "the container's", sandbox: "empty", script: `[ -n "$(ls /sys/fs/cgroup 2>/dev/null)" ] && echo the container\'s || echo empty`},
	{what: "devices in `/dev`", runc: "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero",
		sandbox: "char fd full fuse net null ptmx pts random shm stderr stdin stdout tty urandom zero", script: `ls /dev | grep -v core`},
	{what: "interface", runc: "mtu 9001", script: `ip -o link show dev eth0 | grep -o 'mtu [0-9]*'`},
	{what: "`/sys/class/net`", runc: "eth0 lo", sandbox: "none", script: `ls /sys/class/net 2>/dev/null || echo none`},
	{what: "names", runc: "1", script: `grep -c $HOSTNAME /etc/hosts`},
	{what: "the container's metadata", runc: "RUNNING", script: soon(`wget -qO- $ECS_CONTAINER_METADATA_URI_V4 2>/dev/null | grep -o '"KnownStatus":"RUNNING"'`) + `&& echo RUNNING`},
	{what: "the container's statistics of its interface", runc: "eth0", script: soon(`wget -qO- $ECS_CONTAINER_METADATA_URI_V4/stats 2>/dev/null | grep -o '"eth0":{"rx_bytes":[1-9]'`) + `&& echo eth0`},
}

// soon runs a command until it succeeds, for some seconds, and hides what it says.
func soon(command string) string {
	return `n=0; until ` + command + ` >/dev/null || [ $n = 40 ]; do n=$((n+1)); usleep 100000; done; [ $n != 40 ]`
}
