package taskdef

import (
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// linuxCapabilities are the valid values of KernelCapabilities.add and drop.
var linuxCapabilities = []string{
	"ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK",
	"IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST",
	"NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT",
	"SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
}

// tmpfsOptions are the valid values of Tmpfs.mountOptions; the last six take "=value".
var tmpfsOptions = []string{
	"defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "remount", "mand", "nomand",
	"atime", "noatime", "diratime", "nodiratime", "bind", "rbind", "unbindable", "runbindable", "private", "rprivate", "shared", "rshared",
	"slave", "rslave", "relatime", "norelatime", "strictatime", "nostrictatime", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol",
}

// checkLinux: LinuxParameters.
func checkLinux(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	l := c.LinuxParameters
	if l == nil {
		return nil
	}
	const most = 1<<31 - 1
	if err := inRanges(aws.Val(c.Name), []ranged{
		{"swappiness", l.Swappiness, 0, 100}, {"maxSwap", l.MaxSwap, 0, most}, {"sharedMemorySize", l.SharedMemorySize, 1, most},
	}); err != nil {
		return err
	}
	if err := checkCapabilities(c); err != nil {
		return err
	}
	for _, d := range l.Devices {
		if err := checkDevice(aws.Val(c.Name), d); err != nil {
			return err
		}
	}
	for _, t := range l.Tmpfs {
		if err := checkTmpfs(aws.Val(c.Name), t); err != nil {
			return err
		}
	}
	return nil
}

func checkCapabilities(c *shape.ContainerDefinition) error {
	caps := c.LinuxParameters.Capabilities
	if caps == nil {
		return nil
	}
	for _, name := range slices.Concat(caps.Add, caps.Drop) {
		if !slices.Contains(linuxCapabilities, name) {
			return invalid("Invalid 'capabilities' setting for container '%s': '%s' is not a Linux capability of Amazon ECS.", aws.Val(c.Name), name)
		}
	}
	return nil
}

func checkDevice(container string, d shape.Device) error {
	if aws.Val(d.HostPath) == "" {
		return invalid("Invalid 'devices' setting for container '%s': 'hostPath' should not be null or empty.", container)
	}
	for i := range d.Permissions {
		allowed := []string{shape.DeviceCgroupPermissionRead, shape.DeviceCgroupPermissionWrite, shape.DeviceCgroupPermissionMknod}
		if err := oneOf("for container '"+container+"'", []choice{{"devices.permissions", &d.Permissions[i], allowed}}); err != nil {
			return err
		}
	}
	return nil
}

func checkTmpfs(container string, t shape.Tmpfs) error {
	switch {
	case !strings.HasPrefix(aws.Val(t.ContainerPath), "/"):
		return invalid("Invalid 'tmpfs' setting for container '%s': 'containerPath' must be absolute.", container)
	case aws.Val(t.Size) < 1:
		return invalid("Invalid 'tmpfs' setting for container '%s': 'size' must be at least 1 MiB.", container)
	}
	for _, o := range t.MountOptions {
		name, _, _ := strings.Cut(o, "=")
		if !slices.Contains(tmpfsOptions, name) {
			return invalid("Invalid 'tmpfs' setting for container '%s': '%s' is not a valid mount option.", container, o)
		}
	}
	return nil
}

// ipcSysctls are the IPC namespace's (SystemControl.value), with fs.mqueue.*.
var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
}

// checkSysctls: only parameters of namespaces, and of those that the container has
// for itself or its task.
func checkSysctls(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	for _, s := range c.SystemControls {
		key := aws.Val(s.Namespace)
		ipc, net := slices.Contains(ipcSysctls, key) || strings.HasPrefix(key, "fs.mqueue."), strings.HasPrefix(key, "net.")
		switch {
		case !ipc && !net:
			return invalid("Invalid 'systemControls' setting for container '%s': '%s' is not a namespaced kernel parameter.", name, key)
		case aws.Val(s.Value) == "":
			return invalid("Invalid 'systemControls' setting for container '%s': 'value' should not be null or empty.", name)
		case net && aws.Val(in.NetworkMode) == shape.NetworkModeHost:
			return invalid("Invalid 'systemControls' setting for container '%s': '%s' is not supported when networkMode=host.", name, key)
		case ipc && aws.Val(in.IpcMode) == shape.IpcModeHost:
			return invalid("Invalid 'systemControls' setting for container '%s': '%s' is not supported when ipcMode=host.", name, key)
		}
	}
	return nil
}

// checkSecurity: the valid values of ContainerDefinition.dockerSecurityOptions and
// credentialSpecs.
func checkSecurity(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	name := aws.Val(c.Name)
	for _, o := range c.DockerSecurityOptions {
		kind, _, _ := strings.Cut(o, ":")
		if !slices.Contains([]string{"no-new-privileges", "apparmor", "label", "credentialspec"}, kind) {
			return invalid("Invalid 'dockerSecurityOptions' setting for container '%s': '%s' must be no-new-privileges, or begin with apparmor:, label: or credentialspec:.", name, o)
		}
	}
	if len(c.CredentialSpecs) > 1 {
		return invalid("Invalid 'credentialSpecs' setting for container '%s': at most one is allowed.", name)
	}
	for _, s := range c.CredentialSpecs {
		kind, _, found := strings.Cut(s, ":")
		if !found || kind != "credentialspec" && kind != "credentialspecdomainless" {
			return invalid("Invalid 'credentialSpecs' setting for container '%s': '%s' must begin with credentialspec: or credentialspecdomainless:.", name, s)
		}
	}
	return nil
}

// checkResources: GPUs are counted; Amazon Elastic Inference is retired.
func checkResources(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	for _, r := range c.ResourceRequirements {
		switch aws.Val(r.Type) {
		case shape.ResourceTypeGpu:
			if n, err := strconv.Atoi(aws.Val(r.Value)); err != nil || n < 1 {
				return invalid("Invalid 'resourceRequirements' setting for container '%s': '%s' is not a number of GPUs.", aws.Val(c.Name), aws.Val(r.Value))
			}
		case shape.ResourceTypeInferenceAccelerator:
			return invalid("Unsupported field 'inferenceAccelerators'")
		default:
			return invalid("Invalid 'resourceRequirements' setting for container '%s': type '%s' must be GPU.", aws.Val(c.Name), aws.Val(r.Type))
		}
	}
	return nil
}
