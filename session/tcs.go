package session

import "slices"

// PublishMetricsRequest is the agent's telemetry, every 20 s; at most ten tasks
// a message, the last with Metadata.Fin.
type PublishMetricsRequest struct {
	Metadata    *MetricsMetadata `json:"metadata,omitempty"`
	TaskMetrics []TaskMetric     `json:"taskMetrics,omitempty"`
	Timestamp   float64          `json:"timestamp,omitempty"` // seconds
}

// MetricsMetadata heads a telemetry message.
type MetricsMetadata struct {
	Cluster           string `json:"cluster,omitempty"`
	ContainerInstance string `json:"containerInstance,omitempty"`
	MessageID         string `json:"messageId,omitempty"`
	Idle              bool   `json:"idle,omitempty"`
	Fin               bool   `json:"fin,omitempty"`
}

// TaskMetric is the use of one task.
type TaskMetric struct {
	TaskArn               string            `json:"taskArn,omitempty"`
	ClusterArn            string            `json:"clusterArn,omitempty"`
	TaskDefinitionFamily  string            `json:"taskDefinitionFamily,omitempty"`
	TaskDefinitionVersion string            `json:"taskDefinitionVersion,omitempty"`
	ContainerMetrics      []ContainerMetric `json:"containerMetrics,omitempty"`
}

// ContainerMetric is the use of one container since the last message.
type ContainerMetric struct {
	ContainerArn    string           `json:"containerArn,omitempty"`
	ContainerName   string           `json:"containerName,omitempty"`
	CPUStatsSet     *StatsSet        `json:"cpuStatsSet,omitempty"`    // percent of one core
	MemoryStatsSet  *StatsSet        `json:"memoryStatsSet,omitempty"` // MiB
	NetworkStatsSet *NetworkStatsSet `json:"networkStatsSet,omitempty"`
	StorageStatsSet *StorageStatsSet `json:"storageStatsSet,omitempty"`
	RestartStatsSet *RestartStatsSet `json:"restartStatsSet,omitempty"`
}

// StatsSet sums samples.
type StatsSet struct {
	Min         float64 `json:"min"`
	Max         float64 `json:"max"`
	SampleCount int     `json:"sampleCount"`
	Sum         float64 `json:"sum"`
}

// NetworkStatsSet counts what went through a container's interfaces.
type NetworkStatsSet struct {
	RxBytes          *StatsSet `json:"rxBytes,omitempty"`
	RxPackets        *StatsSet `json:"rxPackets,omitempty"`
	RxDropped        *StatsSet `json:"rxDropped,omitempty"`
	RxErrors         *StatsSet `json:"rxErrors,omitempty"`
	TxBytes          *StatsSet `json:"txBytes,omitempty"`
	TxPackets        *StatsSet `json:"txPackets,omitempty"`
	TxDropped        *StatsSet `json:"txDropped,omitempty"`
	TxErrors         *StatsSet `json:"txErrors,omitempty"`
	RxBytesPerSecond *StatsSet `json:"rxBytesPerSecond,omitempty"`
	TxBytesPerSecond *StatsSet `json:"txBytesPerSecond,omitempty"`
}

// StorageStatsSet counts a container's block I/O.
type StorageStatsSet struct {
	ReadSizeBytes  *StatsSet `json:"readSizeBytes,omitempty"`
	WriteSizeBytes *StatsSet `json:"writeSizeBytes,omitempty"`
}

// RestartStatsSet counts restarts by restart policy.
type RestartStatsSet struct {
	RestartCount int64 `json:"restartCount"`
}

// PublishHealthRequest is the agent's word on container health: the only way it
// reaches the server.
type PublishHealthRequest struct {
	Metadata  *HealthMetadata `json:"metadata,omitempty"`
	Tasks     []TaskHealth    `json:"tasks,omitempty"`
	Timestamp float64         `json:"timestamp,omitempty"`
}

// HealthMetadata heads a health message.
type HealthMetadata struct {
	Cluster           string `json:"cluster,omitempty"`
	ContainerInstance string `json:"containerInstance,omitempty"`
	MessageID         string `json:"messageId,omitempty"`
	Fin               bool   `json:"fin,omitempty"`
}

// TaskHealth is the health of one task's containers.
type TaskHealth struct {
	TaskArn               string            `json:"taskArn,omitempty"`
	ClusterArn            string            `json:"clusterArn,omitempty"`
	TaskDefinitionFamily  string            `json:"taskDefinitionFamily,omitempty"`
	TaskDefinitionVersion string            `json:"taskDefinitionVersion,omitempty"`
	Containers            []ContainerHealth `json:"containers,omitempty"`
}

// ContainerHealth is HEALTHY, UNHEALTHY or UNKNOWN since a time.
type ContainerHealth struct {
	ContainerName string  `json:"containerName,omitempty"`
	HealthStatus  string  `json:"healthStatus,omitempty"`
	StatusSince   float64 `json:"statusSince,omitempty"` // seconds
	StatusMessage string  `json:"statusMessage,omitempty"`
}

// PublishInstanceStatusRequest is the agent's word on its machine.
type PublishInstanceStatusRequest struct {
	Metadata  *InstanceStatusMetadata `json:"metadata,omitempty"`
	Statuses  []InstanceStatus        `json:"statuses,omitempty"`
	Timestamp float64                 `json:"timestamp,omitempty"`
}

// InstanceStatusMetadata heads an instance status message.
type InstanceStatusMetadata struct {
	Cluster           string `json:"cluster,omitempty"`
	ContainerInstance string `json:"containerInstance,omitempty"`
	RequestID         string `json:"requestId,omitempty"`
}

// InstanceStatus is the result of one check: OK, IMPAIRED, INSUFFICIENT_DATA or
// INITIALIZING.
type InstanceStatus struct {
	Type             string  `json:"type,omitempty"` // ContainerRuntime
	Status           string  `json:"status,omitempty"`
	LastUpdated      float64 `json:"lastUpdated,omitempty"`
	LastStatusChange float64 `json:"lastStatusChange,omitempty"`
	StatusReason     string  `json:"statusReason,omitempty"`
}

// graver orders the results of checks, the gravest last.
var graver = []string{"OK", "INITIALIZING", "INSUFFICIENT_DATA", "IMPAIRED"}

// Overall is the state of the machine: that of the gravest check. It is "" when no check
// tells anything that is known.
func (m *PublishInstanceStatusRequest) Overall() string {
	worst := -1
	for _, s := range m.Statuses {
		worst = max(worst, slices.Index(graver, s.Status))
	}
	if worst < 0 {
		return ""
	}
	return graver[worst]
}

// AckPublishMetric, AckPublishHealth and AckPublishInstanceStatus are the server's answers; they also feed
// the agent's watchdog.
type (
	AckPublishMetric struct {
		Message string `json:"message,omitempty"`
	}
	AckPublishHealth struct {
		Message string `json:"message,omitempty"`
	}
	AckPublishInstanceStatus struct {
		Message string `json:"message,omitempty"`
	}
)

func (*PublishMetricsRequest) message()        {}
func (*PublishHealthRequest) message()         {}
func (*PublishInstanceStatusRequest) message() {}
func (*AckPublishMetric) message()             {}
func (*AckPublishHealth) message()             {}
func (*AckPublishInstanceStatus) message()     {}
