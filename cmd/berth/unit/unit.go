package unit

import (
	"fmt"
	"strings"
)

// Kind is what a unit runs.
type Kind string

// The kinds. Slice is the unit that the others are in.
const (
	Server Kind = "server"
	Node   Kind = "node"
	Up     Kind = "up"
	Slice  Kind = "slice"
)

// Of is what a unit is made for.
type Of struct {
	Kind            Kind
	Exe             string   // absolute
	DataDir, RunDir string   // absolute
	Environment     []string // NAME=value, of settings
}

// Text is the unit's file.
func Text(u Of) string {
	if u.Kind == Slice {
		return slice
	}
	var b strings.Builder
	after := ""
	if u.Kind == Node {
		after = " berth-server.service"
	}
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\n", described[u.Kind])
	fmt.Fprintf(&b, ordering, after)
	b.WriteString("\n[Service]\nType=notify\n")
	fmt.Fprintf(&b, "ExecStart=%s %s\n", quote(u.Exe), strings.Join(arguments[u.Kind], " "))
	for _, e := range u.Environment {
		fmt.Fprintf(&b, "Environment=%s\n", quote(e))
	}
	b.WriteString(common)
	if u.Kind == Server {
		fmt.Fprintf(&b, hardened, quote(u.DataDir), quote(u.RunDir))
	} else {
		b.WriteString(tasks)
	}
	b.WriteString("\n[Install]\nWantedBy=multi-user.target\n")
	return b.String()
}

var described = map[Kind]string{
	Server: "berth server: the AWS endpoint, the records and the control loops",
	Node:   "berth node: runs tasks for a server",
	Up:     "berth: a server and a node in one process",
}

var arguments = map[Kind][]string{Server: {"server"}, Node: {"node"}, Up: {"up", "--foreground"}}

// A node begins after a server of the same machine, and does not need it: it tries again.
const ordering = `Documentation=https://github.com/berth-ecs/berth/blob/main/docs/operations.md
Wants=network-online.target
After=network-online.target time-sync.target%s
StartLimitIntervalSec=0
`

// A start lasts until most of the servers are there, however long that is. Settings that are wrong (status 2) do not mend themselves.
const common = `Slice=berthd.slice
TimeoutStartSec=infinity
TimeoutStopSec=30s
Restart=always
RestartSec=2s
RestartPreventExitStatus=2
LimitNOFILE=1048576
TasksMax=infinity
`

// What outlives the node is in its cgroup: only the process itself is ended. cgroups below are the node's business.
const tasks = `KillMode=process
Delegate=yes
LimitNPROC=infinity
LimitCORE=infinity
`

// What a server may: it makes its directories first, with every right, and then has few.
const hardened = `OOMScoreAdjust=-500
ExecStartPre=+/bin/mkdir -p %[1]s %[2]s
ReadWritePaths=%[1]s %[2]s
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
UMask=0077
`

// The weight of berth's own processes beside the tasks, whose cgroup weighs 100: 800 on version 2, 8192 of 1024 on version 1.
const slice = `[Unit]
Description=berth's own processes, beside and above the tasks

[Slice]
CPUWeight=800
`

// quote makes one word of systemd's. Its specifiers begin with a percent sign.
func quote(s string) string {
	s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(s)
	if strings.ContainsAny(s, " \t\"'\\;") {
		return `"` + s + `"`
	}
	return s
}
