package compose

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// dockerAPI is the version of the Docker Engine API that the documents are written for.
const dockerAPI = "1.18"

// config is the part of Docker's Config that a container definition fills.
type config struct {
	User        string            `json:",omitzero"`
	WorkingDir  string            `json:",omitzero"`
	Hostname    string            `json:",omitzero"`
	Tty         bool              `json:",omitzero"`
	OpenStdin   bool              `json:",omitzero"`
	Labels      map[string]string `json:",omitzero"`
	Healthcheck *healthcheck      `json:",omitzero"`

	NetworkDisabled bool `json:",omitzero"`
}

// healthcheck is Docker's HealthConfig; durations are nanoseconds.
type healthcheck struct {
	Test        []string
	Interval    time.Duration `json:",omitzero"`
	Timeout     time.Duration `json:",omitzero"`
	StartPeriod time.Duration `json:",omitzero"`
	Retries     int           `json:",omitzero"`
}

// hostConfig is the part of Docker's HostConfig that a container definition fills.
type hostConfig struct {
	NetworkMode       string            `json:",omitzero"`
	Privileged        bool              `json:",omitzero"`
	ReadonlyRootfs    bool              `json:",omitzero"`
	CapAdd            []string          `json:",omitzero"`
	CapDrop           []string          `json:",omitzero"`
	DNS               []string          `json:"Dns,omitzero"`
	DNSSearch         []string          `json:"DnsSearch,omitzero"`
	ExtraHosts        []string          `json:",omitzero"`
	SecurityOpt       []string          `json:",omitzero"`
	Sysctls           map[string]string `json:",omitzero"`
	Tmpfs             map[string]string `json:",omitzero"`
	Devices           []device          `json:",omitzero"`
	Ulimits           []ulimit          `json:",omitzero"`
	LogConfig         *logConfig        `json:",omitzero"`
	ShmSize           int64             `json:",omitzero"` // bytes
	Init              bool              `json:",omitzero"`
	MemoryReservation int64             `json:",omitzero"` // bytes
	MemorySwap        int64             `json:",omitzero"` // bytes, memory included
	MemorySwappiness  *int32            `json:",omitzero"`
}

type device struct {
	PathOnHost, PathInContainer, CgroupPermissions string
}

type ulimit struct {
	Name string
	Soft int64
	Hard int64
}

type logConfig struct {
	Type   string
	Config map[string]string `json:",omitzero"`
}

const mebi = 1 << 20

func dockerConfig(d *shape.ContainerDefinition) (string, error) {
	c := config{
		User:       aws.Val(d.User),
		WorkingDir: aws.Val(d.WorkingDirectory),
		Hostname:   aws.Val(d.Hostname),
		Tty:        aws.Val(d.PseudoTerminal),
		OpenStdin:  aws.Val(d.Interactive),
		Labels:     d.DockerLabels,

		NetworkDisabled: aws.Val(d.DisableNetworking),
	}
	if h := d.HealthCheck; h != nil {
		c.Healthcheck = &healthcheck{
			Test:        h.Command,
			Interval:    seconds(h.Interval),
			Timeout:     seconds(h.Timeout),
			StartPeriod: seconds(h.StartPeriod),
			Retries:     int(aws.Val(h.Retries)),
		}
	}
	return document(c)
}

func seconds(n *int32) time.Duration { return time.Duration(aws.Val(n)) * time.Second }

func dockerHostConfig(d *shape.ContainerDefinition, networkMode string, reservation, memory *int32) (string, error) {
	h := hostConfig{
		NetworkMode:       networkMode,
		Privileged:        aws.Val(d.Privileged),
		ReadonlyRootfs:    aws.Val(d.ReadonlyRootFilesystem),
		DNS:               d.DnsServers,
		DNSSearch:         d.DnsSearchDomains,
		SecurityOpt:       d.DockerSecurityOptions,
		MemoryReservation: int64(aws.Val(reservation)) * mebi,
	}
	for _, e := range d.ExtraHosts {
		h.ExtraHosts = append(h.ExtraHosts, aws.Val(e.Hostname)+":"+aws.Val(e.IpAddress))
	}
	for _, u := range d.Ulimits {
		h.Ulimits = append(h.Ulimits, ulimit{Name: aws.Val(u.Name), Soft: int64(aws.Val(u.SoftLimit)), Hard: int64(aws.Val(u.HardLimit))})
	}
	for _, s := range d.SystemControls {
		if h.Sysctls == nil {
			h.Sysctls = make(map[string]string)
		}
		h.Sysctls[aws.Val(s.Namespace)] = aws.Val(s.Value)
	}
	if l := d.LogConfiguration; l != nil {
		h.LogConfig = &logConfig{Type: aws.Val(l.LogDriver), Config: l.Options}
	}
	if l := d.LinuxParameters; l != nil {
		linuxHostConfig(&h, l, int64(aws.Val(memory))*mebi)
	}
	return document(h)
}

func linuxHostConfig(h *hostConfig, l *shape.LinuxParameters, memory int64) {
	h.Init = aws.Val(l.InitProcessEnabled)
	h.ShmSize = int64(aws.Val(l.SharedMemorySize)) * mebi
	if l.MaxSwap != nil { // without it swappiness is ignored
		h.MemorySwappiness = l.Swappiness
		h.MemorySwap = memory + int64(*l.MaxSwap)*mebi
	}
	if c := l.Capabilities; c != nil {
		h.CapAdd, h.CapDrop = c.Add, c.Drop
	}
	for _, d := range l.Devices {
		h.Devices = append(h.Devices, hostDevice(d))
	}
	for _, t := range l.Tmpfs {
		if h.Tmpfs == nil {
			h.Tmpfs = make(map[string]string)
		}
		options := append([]string{fmt.Sprintf("size=%dm", aws.Val(t.Size))}, t.MountOptions...)
		h.Tmpfs[aws.Val(t.ContainerPath)] = strings.Join(options, ",")
	}
}

func hostDevice(d shape.Device) device {
	out := device{PathOnHost: aws.Val(d.HostPath), PathInContainer: aws.Val(d.ContainerPath)}
	if out.PathInContainer == "" {
		out.PathInContainer = out.PathOnHost
	}
	for _, p := range d.Permissions {
		out.CgroupPermissions += p[:min(1, len(p))] // read, write, mknod
	}
	if out.CgroupPermissions == "" {
		out.CgroupPermissions = "rwm"
	}
	return out
}

func document(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("compose: docker document: %w", err)
	}
	return string(b), nil
}
