package ecs

import (
	"slices"
	"strconv"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Names and types of a container instance's resources.
const (
	ResourceCPU      = "CPU"
	ResourceMemory   = "MEMORY"
	ResourceStorage  = "EPHEMERAL_STORAGE" // in GiB; of nodes that offer FARGATE, and berth's own
	ResourcePorts    = "PORTS"
	ResourcePortsUDP = "PORTS_UDP"

	TypeInteger   = "INTEGER"
	TypeStringSet = "STRINGSET"
)

// InstanceView is all the records of one container instance.
type InstanceView struct {
	*Instance
	State            *InstanceState
	Ledger           *Ledger // nil once the node is gone
	Running, Pending int32   // tasks
}

// RenderInstance is a container instance as DescribeContainerInstances answers it
// without includes.
func RenderInstance(v InstanceView) shape.ContainerInstance {
	return shape.ContainerInstance{
		AgentConnected:       aws.Ptr(v.State.Connected),
		Attachments:          []shape.Attachment{},
		Attributes:           orEmpty(v.Attributes),
		ContainerInstanceArn: aws.Ptr(v.ARN()),
		Ec2InstanceId:        filled(v.EC2InstanceID),
		PendingTasksCount:    aws.Ptr(v.Pending),
		RegisteredAt:         moment(v.RegisteredAt),
		RegisteredResources:  renderResources(v.Resources, nil),
		RemainingResources:   renderResources(v.Resources, v.Ledger),
		RunningTasksCount:    aws.Ptr(v.Running),
		Status:               aws.Ptr(v.State.Status),
		StatusReason:         filled(v.State.StatusReason),
		Tags:                 []shape.Tag{},
		Version:              aws.Ptr(max(1, v.State.Version)),
		VersionInfo:          renderVersions(v),
	}
}

// renderVersions prefers what the open control session says: newer agents name
// their versions there only.
func renderVersions(v InstanceView) *shape.VersionInfo {
	var info shape.VersionInfo
	if v.VersionInfo != nil {
		info = *v.VersionInfo
	}
	for _, f := range []struct {
		to   **string
		from string
	}{{&info.AgentHash, v.State.AgentHash}, {&info.AgentVersion, v.State.Agent}, {&info.DockerVersion, v.State.Docker}} {
		if f.from != "" {
			*f.to = aws.Ptr(f.from)
		}
	}
	return &info
}

// renderResources completes resources with AWS's zeros. With a ledger it answers
// what remains: CPU and memory less what tasks hold; the port sets list the ports
// in use.
func renderResources(registered []shape.Resource, l *Ledger) []shape.Resource {
	rs := make([]shape.Resource, len(registered))
	for i, r := range registered {
		r.DoubleValue = aws.Ptr(aws.Val(r.DoubleValue))
		r.LongValue = aws.Ptr(aws.Val(r.LongValue))
		r.IntegerValue = aws.Ptr(aws.Val(r.IntegerValue))
		if l != nil {
			remain(&r, l)
		}
		rs[i] = r
	}
	return rs
}

func remain(r *shape.Resource, l *Ledger) {
	switch aws.Val(r.Name) {
	case ResourceCPU:
		r.IntegerValue = aws.Ptr(int32(l.Total.CPU - l.Used.CPU))
	case ResourceMemory:
		r.IntegerValue = aws.Ptr(int32(l.Total.MemoryMiB - l.Used.MemoryMiB))
	case ResourceStorage:
		r.IntegerValue = aws.Ptr(int32(l.Total.StorageGiB - l.Used.StorageGiB))
	case ResourcePorts:
		r.StringSetValue = portSet(r.StringSetValue, l.Used.TCP)
	case ResourcePortsUDP:
		r.StringSetValue = portSet(r.StringSetValue, l.Used.UDP)
	}
}

func portSet(reserved []string, used []int) []string {
	set := append([]string{}, reserved...)
	for _, p := range used {
		if s := strconv.Itoa(p); !slices.Contains(set, s) {
			set = append(set, s)
		}
	}
	return set
}

func decimal(n int32) string { return strconv.FormatInt(int64(n), 10) }

// RenderInstanceHealth is the CONTAINER_INSTANCE_HEALTH include. It is nil while the
// agent has told nothing.
func RenderInstanceHealth(s *InstanceState) *shape.ContainerInstanceHealthStatus {
	if s.Health == "" {
		return nil
	}
	return &shape.ContainerInstanceHealthStatus{
		OverallStatus: aws.Ptr(s.Health),
		Details: []shape.InstanceHealthCheckResult{{
			Type:             aws.Ptr(shape.InstanceHealthCheckTypeContainerRuntime),
			Status:           aws.Ptr(s.Health),
			LastUpdated:      moment(s.HealthAt),
			LastStatusChange: moment(s.HealthAt),
		}},
	}
}

// FirstLedger is the ledger of a node at registration.
func (i *Instance) FirstLedger() *Ledger {
	return &Ledger{Region: i.Region, Node: i.Node, Total: TotalOf(i.Resources)}
}

// TotalOf reads amounts from registered resources; the port sets are those the
// node reserves for itself.
func TotalOf(rs []shape.Resource) Amounts {
	var a Amounts
	for _, r := range rs {
		switch aws.Val(r.Name) {
		case ResourceCPU:
			a.CPU = number(r)
		case ResourceMemory:
			a.MemoryMiB = number(r)
		case ResourceStorage:
			a.StorageGiB = number(r)
		case ResourcePorts:
			a.TCP = ports(r.StringSetValue)
		case ResourcePortsUDP:
			a.UDP = ports(r.StringSetValue)
		}
	}
	return a
}

func number(r shape.Resource) int64 {
	return max(int64(aws.Val(r.IntegerValue)), aws.Val(r.LongValue), int64(aws.Val(r.DoubleValue)))
}

func ports(set []string) []int {
	var ps []int
	for _, s := range set {
		if p, err := strconv.Atoi(s); err == nil && p > 0 && p <= 65535 {
			ps = append(ps, p)
		}
	}
	slices.Sort(ps)
	return ps
}
