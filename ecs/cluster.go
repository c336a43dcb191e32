package ecs

import (
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Statuses of a cluster.
const (
	ClusterActive   = "ACTIVE"
	ClusterDeleting = "DEPROVISIONING" // creators compare it; becomes INACTIVE or ACTIVE again
	ClusterInactive = "INACTIVE"
)

// Cluster is a cluster as the API wants it.
type Cluster struct {
	Home
	Name      string
	Status    string
	StatusAt  time.Time // since when it has its status; zero since CreatedAt
	CreatedAt time.Time

	Settings               []shape.ClusterSetting
	Configuration          *shape.ClusterConfiguration
	CapacityProviders      []string
	DefaultStrategy        []shape.CapacityProviderStrategyItem
	ServiceConnectDefaults *shape.ClusterServiceConnectDefaults
	Tags                   []shape.Tag
}

// ARN names the cluster.
func (c *Cluster) ARN() string { return c.ClusterARN(c.Name) }

// WithStatus is the cluster from now on with a status.
func (c *Cluster) WithStatus(status string, now time.Time) *Cluster {
	next := *c
	next.Status, next.StatusAt = status, now
	return &next
}
