package metadata

import "time"

// Task is the answer of {ECS_CONTAINER_METADATA_URI_V4}/task.
type Task struct {
	Cluster                 string
	TaskARN                 string
	Family                  string
	Revision                string
	ServiceName             string `json:",omitzero"`
	Group                   string `json:",omitzero"`
	DesiredStatus           string `json:",omitzero"`
	KnownStatus             string
	Limits                  *Limits    `json:",omitzero"`
	PullStartedAt           *time.Time `json:",omitzero"`
	PullStoppedAt           *time.Time `json:",omitzero"`
	ExecutionStoppedAt      *time.Time `json:",omitzero"`
	AvailabilityZone        string     `json:",omitzero"`
	AvailabilityZoneID      string     `json:",omitzero"`
	LaunchType              string     `json:",omitzero"`
	Containers              []Container
	VPCID                   string                   `json:",omitzero"`
	ClockDrift              *ClockDrift              `json:",omitzero"`
	EphemeralStorageMetrics *EphemeralStorageMetrics `json:",omitzero"`
	TaskTags                map[string]string        `json:",omitzero"` // shown by taskWithTags only
	ContainerInstanceTags   map[string]string        `json:",omitzero"` // shown by taskWithTags only
	Errors                  []Error                  `json:",omitzero"`
	FaultInjectionEnabled   bool
	Associations            []Association `json:"-"` // by paths of their own
}

// Limits are of a task (CPU in vCPU) or of a container (CPU in shares); memory is in MiB.
type Limits struct {
	CPU    *float64 `json:",omitzero"`
	Memory *int64   `json:",omitzero"`
}

// ClockDrift is what the node knows about its clock.
type ClockDrift struct {
	ClockErrorBound            float64
	ReferenceTimestamp         *time.Time `json:",omitzero"`
	ClockSynchronizationStatus string
}

// EphemeralStorageMetrics is in MiB.
type EphemeralStorageMetrics struct {
	Utilized int64
	Reserved int64
}

// Error says which part of an answer could not be had.
type Error struct {
	ErrorField   string `json:",omitzero"`
	ErrorCode    string `json:",omitzero"`
	ErrorMessage string `json:",omitzero"`
	StatusCode   int    `json:",omitzero"`
	RequestID    string `json:"RequestId,omitzero"`
	ResourceARN  string `json:",omitzero"`
}
