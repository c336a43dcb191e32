package ecs

import (
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Statuses of a service.
const (
	ServiceActive   = "ACTIVE"
	ServiceDraining = "DRAINING"
	ServiceInactive = "INACTIVE"
)

// Service is a service as the API wants it.
type Service struct {
	Home
	Cluster string
	Name    string
	// Incarnation tells services of one name apart: a new one for each
	// CreateService.
	Incarnation string
	CreatedAt   time.Time
	CreatedBy   string
	DeletedAt   time.Time // DeleteService; the service drains from then

	DesiredCount    int32
	DesiredAt       time.Time // last change of DesiredCount
	Scheduling      string    // REPLICA or DAEMON
	Controller      *shape.DeploymentController
	Configuration   shape.DeploymentConfiguration
	Constraints     []shape.PlacementConstraint
	Strategy        []shape.PlacementStrategy
	GracePeriod     *int32
	PropagateTags   string
	ManagedTags     bool
	ExecuteCommand  bool
	ZoneRebalancing string
	RoleARN         string
	Tags            []shape.Tag

	// Target is the deployment that the service should become: a new one for
	// each change that replaces tasks.
	Target Deployment
}

// Daemon says whether the service runs one task on each container instance that meets its constraints.
func (s *Service) Daemon() bool { return s.Scheduling == shape.SchedulingStrategyDaemon }

// ARN names the service.
func (s *Service) ARN() string { return s.ServiceARN(s.Cluster, s.Name) }

// Deployment is what one deployment of a service rolls out. It never changes.
type Deployment struct {
	ID               string // "ecs-svc/<19 digits>"
	CreatedAt        time.Time
	TaskDefinition   string // ARN
	LaunchType       string
	CapacityStrategy []shape.CapacityProviderStrategyItem
	Network          *shape.NetworkConfiguration
	PlatformVersion  string
	PlatformFamily   string
	ServiceConnect   *shape.ServiceConnectConfiguration
	Volumes          []shape.ServiceVolumeConfiguration
	Registries       []shape.ServiceRegistry // its tasks are found in: one at most
	LoadBalancers    []shape.LoadBalancer    // its tasks are targets of
	Lattice          []shape.VpcLatticeConfiguration
	Forced           bool // forceNewDeployment
}

// ServiceStatus is what the service loop made of a service.
type ServiceStatus struct {
	Home
	Cluster     string
	Name        string
	Incarnation string
	InactiveAt  time.Time
	Deployments []DeploymentStatus // newest first; the first is PRIMARY
	// Steady is the time of the last "has reached a steady state" of the present
	// state; zero while there is work to do.
	Steady time.Time
	// Completed is the newest deployment that was completed; nil while none was.
	Completed *Deployment
	// Rollback is the way back from the target; nil when there is none.
	Rollback *ServiceRollback
	// Said holds the sentences that are not repeated until their cause ends, with
	// the time they were said.
	Said map[string]time.Time
}

// ServiceRollback replaces a service's target by a deployment that had been completed, until the API wants another target.
type ServiceRollback struct {
	From     string // id of the target that failed or was stopped
	To       Deployment
	Reason   string
	At       time.Time
	Tripped  bool  // the circuit breaker did it
	Failures int32 // failed tasks in a row of the target
}

// TargetOf is the deployment that a service should become: the one the API wants, or the one its loop went back to from that.
// The status may be nil, or of an earlier service of the name.
func TargetOf(s *Service, status *ServiceStatus) Deployment {
	if status != nil && status.Incarnation == s.Incarnation && status.Rollback != nil && status.Rollback.From == s.Target.ID {
		return status.Rollback.To
	}
	return s.Target
}

// WayBack is the completed deployment that a service can go back to from another; nil when there is none.
func (s *ServiceStatus) WayBack(from string) *Deployment {
	if s.Completed != nil && s.Completed.ID != from {
		return s.Completed
	}
	for _, d := range s.Deployments {
		if d.ID != from && d.RolloutState == shape.DeploymentRolloutStateCompleted {
			return &d.Deployment
		}
	}
	return nil
}

// DeploymentStatus is how far a deployment is.
type DeploymentStatus struct {
	Deployment
	UpdatedAt    time.Time
	RolloutState string // IN_PROGRESS, COMPLETED or FAILED
	Reason       string
	FailedTasks  int32     // in a row: they ended before they were healthy
	CountedAt    time.Time // up to here FailedTasks counts
	// Throttle: tasks that never reached RUNNING delay the next start.
	Failures    int32     // rounds of them in a row
	FailedAt    time.Time // end of the newest that was counted
	NextStartAt time.Time
}

// ServiceEvent is one sentence of a service's events.
type ServiceEvent struct {
	Home
	Cluster     string
	Service     string
	Incarnation string
	ID          string
	At          time.Time
	Message     string
}
