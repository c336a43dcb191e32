package launch

import (
	"strconv"
	"time"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Placed is a container instance that was chosen.
type Placed struct {
	Instance *ecs.Instance
	Holds    ecs.Amounts // what the task is booked with
	// BesideMiB of the memory are not the task's: its sandbox takes them.
	BesideMiB int64
}

// memory is the task's own.
func (p Placed) memory() string { return strconv.FormatInt(p.Holds.MemoryMiB-p.BesideMiB, 10) }

// Make is the records of one new task. newID answers 32 hex digits, another at each call.
func Make(s Spec, p Placed, now time.Time, newID func() string) Records {
	id := newID()
	instance, on := host(s, p)
	r := Records{
		Task: task(s, p, id, now),
		Desired: &ecs.TaskDesired{
			Home: s.Home, Cluster: s.Cluster, ID: id, Service: s.Service, Group: s.GroupName(), Instance: instance, Host: on,
			Status: shape.DesiredStatusRunning,
		},
		Status: &ecs.TaskStatus{
			Home: s.Home, Cluster: s.Cluster, ID: id, Service: s.Service, Instance: instance, Host: on,
			LastStatus: ecs.TaskPending, Health: shape.HealthStatusUnknown, Version: 1,
		},
	}
	if ecs.HasInterface(&s.Definition.Document) { // the interface must be attached first
		r.Status.LastStatus, r.Status.Attachment = ecs.TaskProvisioning, ecs.AttachmentPrecreated
	}
	for i := range s.Definition.Document.ContainerDefinitions {
		c := container(&s.Definition.Document.ContainerDefinitions[i], &s.Overrides, newID())
		r.Task.Containers = append(r.Task.Containers, c)
		r.Status.Containers = append(r.Status.Containers, ecs.ContainerStatus{
			Name: c.Name, LastStatus: ecs.TaskPending, Health: shape.HealthStatusUnknown,
		})
	}
	if len(s.Tags) > 0 {
		r.Tags = &ecs.TaskTags{Home: s.Home, Cluster: s.Cluster, ID: id, Tags: s.Tags}
	}
	return r
}

// host is where a task runs: on a container instance of its own or, on FARGATE, on one that it only travels with.
func host(s Spec, p Placed) (instance string, on ecs.Host) {
	if s.Fargate() {
		return "", ecs.Host{Cluster: p.Instance.Cluster, Instance: p.Instance.ID}
	}
	return p.Instance.ID, ecs.Host{}
}

func task(s Spec, p Placed, id string, now time.Time) *ecs.Task {
	zone, _ := place.AttributeOf(p.Instance.Attributes, place.Zone)
	launchType := s.LaunchType
	if launchType == "" {
		launchType = p.Instance.LaunchType
	}
	t := &ecs.Task{
		Home: s.Home, Cluster: s.Cluster, ID: id,
		Family: s.Definition.Family, Revision: s.Definition.Revision,
		Service: s.Service, Deployment: s.Deployment, Group: s.GroupName(), StartedBy: s.StartedBy,
		LaunchType: launchType, CapacityProvider: s.CapacityProvider,
		Node: p.Instance.Node, Zone: zone,
		CPU:       strconv.FormatInt(p.Holds.CPU, 10),
		Memory:    p.memory(),
		Overrides: withDefaults(s, p), Network: s.Network, Registries: s.Registries, Balancers: s.Balancers, Holds: p.Holds,
		EnableExecuteCommand: s.EnableExecuteCommand, ReferenceID: s.ReferenceID, CreatedAt: now,
	}
	t.Instance, t.Host = host(s, p)
	if s.Fargate() {
		t.PlatformVersion, t.PlatformFamily = ecs.Platform(s.PlatformVersion), ecs.PlatformFamily
	}
	if arch, _ := place.AttributeOf(p.Instance.Attributes, place.Architecture); arch != "" {
		t.Attributes = []shape.Attribute{{Name: aws.Ptr(place.Architecture), Value: aws.Ptr(arch)}}
	}
	return t
}

// withDefaults lists every container in the overrides, as ECS answers them, and sizes in units, as the agent reads them.
func withDefaults(s Spec, p Placed) shape.TaskOverride {
	o := s.Overrides
	if aws.Val(o.Cpu) != "" {
		o.Cpu = aws.Ptr(strconv.FormatInt(p.Holds.CPU, 10))
	}
	if aws.Val(o.Memory) != "" {
		o.Memory = aws.Ptr(p.memory())
	}
	all := make([]shape.ContainerOverride, 0, len(s.Definition.Document.ContainerDefinitions))
	for _, c := range s.Definition.Document.ContainerDefinitions {
		co := override(&s.Overrides, aws.Val(c.Name))
		co.Name = c.Name
		all = append(all, co)
	}
	o.ContainerOverrides = all
	if o.InferenceAcceleratorOverrides == nil {
		o.InferenceAcceleratorOverrides = []shape.InferenceAcceleratorOverride{}
	}
	return o
}

func container(c *shape.ContainerDefinition, o *shape.TaskOverride, id string) ecs.TaskContainer {
	l := limitsOf(c, override(o, aws.Val(c.Name)))
	return ecs.TaskContainer{
		Name: aws.Val(c.Name), ID: UUID(id), Image: aws.Val(c.Image),
		CPU: strconv.Itoa(int(l.cpu)), Memory: amount(l.memory), MemoryReservation: amount(l.reservation),
		Essential: c.Essential == nil || *c.Essential, HealthCheck: c.HealthCheck != nil,
	}
}

func amount(n int32) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// UUID writes 32 hex digits as one, the form of the IDs of containers and attachments.
func UUID(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
