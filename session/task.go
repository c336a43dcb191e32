package session

// Task is a task as a payload carries it. What the task definition says in
// Docker's words travels in each container's DockerConfig.
type Task struct {
	Arn            string      `json:"arn"`
	TaskClusterArn string      `json:"taskClusterArn,omitempty"`
	DesiredStatus  string      `json:"desiredStatus"` // RUNNING or STOPPED
	Family         string      `json:"family,omitempty"`
	Version        string      `json:"version,omitempty"`
	Containers     []Container `json:"containers"`
	Volumes        []Volume    `json:"volumes,omitempty"`
	Overrides      string      `json:"overrides,omitempty"` // a JSON document; "{}"

	CPU         float64 `json:"cpu,omitempty"`    // vCPU, of the task
	Memory      int64   `json:"memory,omitempty"` // MiB, of the task
	PidMode     string  `json:"pidMode,omitempty"`
	IpcMode     string  `json:"ipcMode,omitempty"`
	NetworkMode string  `json:"networkMode,omitempty"`
	LaunchType  string  `json:"launchType,omitempty"`
	ServiceName string  `json:"serviceName,omitempty"`
	Group       string  `json:"group,omitempty"`

	// ElasticNetworkInterfaces are the task's own: one in network mode awsvpc, none in the others.
	ElasticNetworkInterfaces []ElasticNetworkInterface `json:"elasticNetworkInterfaces,omitempty"`

	RoleCredentials          *IAMRoleCredentials `json:"roleCredentials,omitempty"`
	ExecutionRoleCredentials *IAMRoleCredentials `json:"executionRoleCredentials,omitempty"`
	Associations             []Association       `json:"associations,omitempty"`
	SandboxMemory            int64               `json:"sandboxMemory,omitempty"`    // MiB; berth's own: for the task's sandbox, beside Memory
	EphemeralStorage         int64               `json:"ephemeralStorage,omitempty"` // GiB; berth's own, of tasks on FARGATE
	EnableFaultInjection     bool                `json:"enableFaultInjection,omitempty"`
	TaskDefinitionAccountID  string              `json:"taskDefinitionAccountId,omitempty"`
}

// Container is one container of a task.
type Container struct {
	Name         string            `json:"name"`
	ContainerArn string            `json:"containerArn,omitempty"`
	Image        string            `json:"image"`
	Command      []string          `json:"command,omitempty"`
	EntryPoint   []string          `json:"entryPoint,omitempty"` // nil: the image's
	Environment  map[string]string `json:"environment,omitempty"`
	Essential    bool              `json:"essential"`
	CPU          int64             `json:"cpu"`    // CPU units
	Memory       int64             `json:"memory"` // MiB, hard
	Overrides    string            `json:"overrides"`

	PortMappings []PortMapping `json:"portMappings,omitempty"`
	MountPoints  []MountPoint  `json:"mountPoints,omitempty"`
	VolumesFrom  []VolumeFrom  `json:"volumesFrom,omitempty"`
	Links        []string      `json:"links,omitempty"`
	DependsOn    []DependsOn   `json:"dependsOn,omitempty"`
	StartTimeout int64         `json:"startTimeout,omitempty"` // seconds
	StopTimeout  *int64        `json:"stopTimeout,omitempty"`  // seconds

	HealthCheckType  string            `json:"healthCheckType,omitempty"` // "docker"
	DockerConfig     DockerConfig      `json:"dockerConfig"`
	Privileged       bool              `json:"privileged,omitempty"`
	LinuxParameters  *LinuxParameters  `json:"linuxParameters,omitempty"`
	RestartPolicy    *RestartPolicy    `json:"restartPolicy,omitempty"`
	LogsAuthStrategy string            `json:"logsAuthStrategy,omitempty"`
	Secrets          []Secret          `json:"secrets,omitempty"`
	EnvironmentFiles []EnvironmentFile `json:"environmentFiles,omitempty"`
	// RegistryAuthentication names how to sign in to the image's registry.
	RegistryAuthentication *RegistryAuthentication `json:"registryAuthentication,omitempty"`
}

// DockerConfig carries Config and HostConfig of the Docker Engine API as JSON
// strings; an agent reads them over what it built itself.
type DockerConfig struct {
	Config     string `json:"config,omitempty"`
	HostConfig string `json:"hostConfig,omitempty"`
	Version    string `json:"version,omitempty"`
}

// PortMapping publishes a container's port, or a range of them.
type PortMapping struct {
	ContainerPort      int    `json:"containerPort,omitempty"`
	HostPort           int    `json:"hostPort"` // 0: dynamic
	ContainerPortRange string `json:"containerPortRange,omitempty"`
	Protocol           string `json:"protocol,omitempty"` // tcp or udp
}

// MountPoint mounts a volume of the task.
type MountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly,omitempty"`
}

// VolumeFrom mounts what another container mounts.
type VolumeFrom struct {
	SourceContainer string `json:"sourceContainer"`
	ReadOnly        bool   `json:"readOnly,omitempty"`
}

// DependsOn delays a container until another is as far as Condition: START,
// COMPLETE, SUCCESS or HEALTHY.
type DependsOn struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

// Volume is a volume of the task. Type is "host" or "docker".
type Volume struct {
	Name   string        `json:"name"`
	Type   string        `json:"type,omitempty"`
	Host   *HostVolume   `json:"host,omitempty"`
	Docker *DockerVolume `json:"dockerVolumeConfiguration,omitempty"`
}

// HostVolume is a directory of the machine; without SourcePath an empty one that
// lives as long as the task.
type HostVolume struct {
	SourcePath string `json:"sourcePath,omitempty"`
}

// DockerVolume is a named volume.
type DockerVolume struct {
	Scope         string            `json:"scope,omitempty"` // task or shared
	Autoprovision bool              `json:"autoprovision,omitempty"`
	Driver        string            `json:"driver,omitempty"`
	DriverOpts    map[string]string `json:"driverOpts,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
}

// LinuxParameters is for agents without Docker; the same values travel in HostConfig.
type LinuxParameters struct {
	InitProcessEnabled bool `json:"initProcessEnabled,omitempty"`
	SharedMemorySize   int  `json:"sharedMemorySize,omitempty"`
}

// RestartPolicy restarts a container without its task noticing.
type RestartPolicy struct {
	Enabled              bool  `json:"enabled"`
	IgnoredExitCodes     []int `json:"ignoredExitCodes,omitempty"`
	RestartAttemptPeriod int   `json:"restartAttemptPeriod,omitempty"` // seconds
}

// Secret is a value that the agent fetches.
type Secret struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
	Type      string `json:"type,omitempty"`
	Region    string `json:"region,omitempty"`
	Provider  string `json:"provider,omitempty"` // ssm or asm
	Target    string `json:"target,omitempty"`
}

// EnvironmentFile is a file of variables in a bucket.
type EnvironmentFile struct {
	Value string `json:"value"`
	Type  string `json:"type"`
}

// RegistryAuthentication is how the agent signs in to a registry: ecr or asm.
type RegistryAuthentication struct {
	Type string       `json:"type"`
	ECR  *ECRAuthData `json:"ecrAuthData,omitempty"`
}

// RegistryECR is the type of an authentication with an ECR token.
const RegistryECR = "ecr"

// ECRAuthData says whose registry an agent asks for a token, and where.
type ECRAuthData struct {
	EndpointOverride string `json:"endpointOverride,omitempty"` // of ECR's API; empty: the usual one
	Region           string `json:"region"`
	RegistryID       string `json:"registryId"`
	UseExecutionRole bool   `json:"useExecutionRole,omitempty"`
}

// Association is a device or service that a task is given, such as a GPU.
type Association struct {
	Name       string             `json:"name,omitempty"`
	Type       string             `json:"type,omitempty"`
	Content    AssociationContent `json:"content,omitzero"`
	Containers []string           `json:"containers,omitempty"`
}

// AssociationContent is what containers read about an association.
type AssociationContent struct {
	Encoding string `json:"encoding,omitempty"` // identity, base64
	Value    string `json:"value,omitempty"`
}
