package ecs

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// ServiceRevision is what a deployment of a service rolls out, as it was asked for. It never changes; its id is the
// digits of the deployment's.
type ServiceRevision struct {
	Home
	Cluster     string
	Service     string
	Incarnation string
	Deployment  Deployment
	Images      []RevisionImage
}

// RevisionImage is the image of one container, as the task definition names it.
type RevisionImage struct {
	Container string
	Image     string
}

// ARN names the revision.
func (r *ServiceRevision) ARN() string {
	return r.ServiceRevisionARN(r.Cluster, r.Service, r.Deployment.ID)
}

// ServiceDeployment is the way of a service to a revision, as it was asked for. It never changes.
type ServiceDeployment struct {
	Home
	Cluster       string
	Service       string
	Incarnation   string
	ID            string // of DeploymentHistoryID
	CreatedAt     time.Time
	Target        string   // id of the deployment it rolls out
	Sources       []string // ids of the deployments there were
	Configuration shape.DeploymentConfiguration
}

// ARN names the service deployment.
func (d *ServiceDeployment) ARN() string {
	return d.ServiceDeploymentARN(d.Cluster, d.Service, d.ID)
}

// ServiceDeploymentStop is StopServiceDeployment's wish.
type ServiceDeploymentStop struct {
	Home
	Cluster string
	Service string
	ID      string
	Type    string // ROLLBACK or ABORT
	At      time.Time
}

// ServiceDeploymentStatus is how far the service loop is with a service deployment.
type ServiceDeploymentStatus struct {
	Home
	Cluster    string
	Service    string
	ID         string
	Status     string
	Reason     string
	StartedAt  time.Time
	UpdatedAt  time.Time
	StoppedAt  time.Time // it failed and was not rolled back, or somebody stopped it
	FinishedAt time.Time
	Rollback   *DeploymentRollback
	// Tripped says that the circuit breaker ended it.
	Tripped bool
	// Failures, Threshold and Counts are those at its end.
	Failures  int32
	Threshold int32
	Counts    map[string]DeploymentCounts // by deployment id
}

// DeploymentRollback is the way back of a service deployment.
type DeploymentRollback struct {
	Deployment string // id of the one that it goes back to
	Reason     string
	StartedAt  time.Time
}

// alphabet has 64 characters in the order of their bytes, so that identifiers sort as the numbers in them.
const alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

// DeploymentHistoryID makes the id of a service deployment from its time and 32 hex digits: 21 characters, as AWS's are. Newer ones
// sort first: the first nine hold 54 bits of the time in microseconds, counted down.
func DeploymentHistoryID(at time.Time, digits string) string {
	const most = 1<<54 - 1
	var random [9]byte
	if b, err := hex.DecodeString(digits); err == nil {
		copy(random[:], b)
	}
	id := make([]byte, 0, 21)
	id = letters(id, most-uint64(at.UnixMicro())&most, 9)
	id = letters(id, binary.BigEndian.Uint64(append([]byte{0, 0, 0}, random[:5]...)), 6)
	return string(letters(id, uint64(binary.BigEndian.Uint32(random[5:])), 6))
}

// letters appends n characters of six bits each, the highest first.
func letters(to []byte, v uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		to = append(to, alphabet[v>>(6*i)&63])
	}
	return to
}
