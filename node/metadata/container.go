package metadata

import "time"

// Container is the answer of {ECS_CONTAINER_METADATA_URI_V4}.
type Container struct {
	ID            string `json:"DockerId"` // also the key of Source.Stats
	EndpointID    string `json:"-"`        // the id in the container's metadata URL
	Name          string
	DockerName    string
	Image         string
	ImageID       string
	Ports         []Port            `json:",omitzero"`
	Labels        map[string]string `json:",omitzero"`
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int `json:",omitzero"`
	Limits        Limits
	CreatedAt     *time.Time `json:",omitzero"`
	StartedAt     *time.Time `json:",omitzero"`
	FinishedAt    *time.Time `json:",omitzero"`
	Type          string
	Health        *Health           `json:",omitzero"`
	Volumes       []Volume          `json:",omitzero"`
	LogDriver     string            `json:",omitzero"`
	LogOptions    map[string]string `json:",omitzero"`
	ContainerARN  string            `json:",omitzero"`
	Networks      []Network         `json:",omitzero"`
	Snapshotter   string            `json:",omitzero"`
	RestartCount  *int              `json:",omitzero"`
}

// Port is one published port.
type Port struct {
	ContainerPort int
	Protocol      string
	HostPort      int    `json:",omitzero"`
	HostIP        string `json:"HostIp,omitzero"`
}

// Health is the state of a container's health check.
type Health struct {
	Status   string     `json:"status,omitzero"`
	Since    *time.Time `json:"statusSince,omitzero"`
	ExitCode int        `json:"exitCode,omitzero"`
	Output   string     `json:"output,omitzero"`
}

// Volume is one mount of a container.
type Volume struct {
	DockerName  string `json:",omitzero"`
	Source      string `json:",omitzero"`
	Destination string
}

// Network is one interface of a container; the fields after the addresses are awsvpc's.
type Network struct {
	NetworkMode              string
	IPv4Addresses            []string `json:",omitzero"`
	IPv6Addresses            []string `json:",omitzero"`
	AttachmentIndex          *int     `json:",omitzero"`
	MACAddress               string   `json:",omitzero"`
	IPv4SubnetCIDRBlock      string   `json:",omitzero"`
	IPv6SubnetCIDRBlock      string   `json:",omitzero"`
	DomainNameServers        []string `json:",omitzero"`
	DomainNameSearchList     []string `json:",omitzero"`
	PrivateDNSName           string   `json:",omitzero"`
	SubnetGatewayIPv4Address string   `json:"SubnetGatewayIpv4Address,omitzero"`
	SubnetGatewayIPv6Address string   `json:"SubnetGatewayIpv6Address,omitzero"`
}
