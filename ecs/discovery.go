package ecs

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Registry is what this wing must know of a service of AWS Cloud Map that tasks are registered in.
type Registry struct {
	ARN     string
	Records []string // types of its DNS records; none: it is found by API only
	Custom  bool     // the health of its instances is what their owner says it is
}

// Has says whether names of the registry are answered with records of a type.
func (r Registry) Has(record string) bool { return slices.Contains(r.Records, record) }

// RegistryID takes the ARN of a registry apart: whose it is, and its id.
func RegistryID(arn string) (h Home, id string, ok bool) {
	f := strings.Split(arn, ":")
	if len(f) != 6 || f[0] != "arn" || f[2] != "servicediscovery" || f[3] == "" || f[4] == "" || strings.Contains(f[3]+f[4], "/") {
		return h, "", false
	}
	id, ok = strings.CutPrefix(f[5], "service/")
	return Home{Account: f[4], Region: f[3]}, id, ok && strings.HasPrefix(id, "srv-") && !strings.Contains(id, "/")
}

// Registration is a task as service discovery is to know it.
type Registration struct {
	Home
	Registry   string // ARN
	ID         string // of the instance: the task's
	Task       string // ARN: the instance's owner
	Attributes map[string]string
	Health     string // HEALTHY or UNHEALTHY, where the owner says so; "" says nothing new
	// Standing keeps an instance that is there as it should be, and makes none.
	Standing bool
}

// HostAddress is where the containers of a task are reached that has no interface of its own.
type HostAddress struct {
	Mode    string // network mode of the task
	Address string // of its machine; "" for one that does not say
	EC2     string // id of its machine as an EC2 instance; "" for none
}

// Attributes that ECS gives the instances of its tasks.
const (
	attrIPv4    = "AWS_INSTANCE_IPV4"
	attrIPv6    = "AWS_INSTANCE_IPV6"
	attrPort    = "AWS_INSTANCE_PORT"
	attrHealth  = "AWS_INIT_HEALTH_STATUS"
	attrZone    = "AVAILABILITY_ZONE"
	attrRegion  = "REGION"
	attrCluster = "ECS_CLUSTER_NAME"
	attrService = "ECS_SERVICE_NAME"
	attrFamily  = "ECS_TASK_DEFINITION_FAMILY"
	attrEC2     = "EC2_INSTANCE_ID"
)

// Registered is the task in one of its registries while it should be found there: it runs, nobody asked it to stop, and it is healthy, where a
// container that it needs has a health check. One that was healthy stays, with its health. The error says why a task that should be found
// cannot be.
func (v TaskView) Registered(r shape.ServiceRegistry, as Registry, at HostAddress) (out Registration, ok bool, err error) {
	if !v.Running() {
		return out, false, nil
	}
	out = Registration{Home: v.Home, Registry: as.ARN, ID: v.ID, Task: v.ARN(), Attributes: map[string]string{
		attrRegion: v.Region, attrCluster: v.Cluster, attrService: v.Service, attrFamily: v.Family,
	}}
	if v.checks() {
		out.Standing = v.Status.Health != shape.HealthStatusHealthy
		if v.Status.Health != shape.HealthStatusUnknown {
			out.Health = v.Status.Health
		}
	}
	if as.Custom {
		out.Attributes[attrHealth] = shape.HealthStatusHealthy
	}
	address, err := v.address(r, as, at)
	if err != nil {
		return out, false, err
	}
	maps.Copy(out.Attributes, address)
	for name, value := range map[string]string{attrZone: v.Zone, attrEC2: at.EC2} {
		if value != "" {
			out.Attributes[name] = value
		}
	}
	return out, true, nil
}

// checks says whether the task's health is known: a container that it needs has a health check.
func (v TaskView) checks() bool {
	return slices.ContainsFunc(v.Containers, func(c TaskContainer) bool { return c.Essential && c.HealthCheck })
}

var errNoAddress = errors.New("its container instance does not say its address")

// address is where the task is reached, as attributes: at its own address, or at its machine's.
func (v TaskView) address(r shape.ServiceRegistry, as Registry, at HostAddress) (map[string]string, error) {
	out := map[string]string{}
	if i := v.Interface; i != nil {
		out[attrIPv4] = i.Private.String()
		if len(i.IPv6) > 0 && (as.Has("AAAA") || len(as.Records) == 0) {
			out[attrIPv6] = i.IPv6[0].String()
		}
		if port := max(aws.Val(r.Port), aws.Val(r.ContainerPort)); port > 0 {
			out[attrPort] = strconv.Itoa(int(port))
		}
		return out, nil
	}
	if at.Address == "" {
		return nil, errNoAddress
	}
	port := v.HostPort(aws.Val(r.ContainerName), aws.Val(r.ContainerPort))
	if port == 0 && at.Mode == shape.NetworkModeHost {
		port = aws.Val(r.ContainerPort)
	}
	if port == 0 {
		return nil, fmt.Errorf("port %d of container %s has no port of its machine", aws.Val(r.ContainerPort), aws.Val(r.ContainerName))
	}
	out[attrIPv4], out[attrPort] = at.Address, strconv.Itoa(int(port))
	if a, err := netip.ParseAddr(at.Address); err == nil && a.Is6() {
		delete(out, attrIPv4)
		out[attrIPv6] = at.Address
	}
	return out, nil
}

// HostPort is the machine's port of a container's; 0 for none.
func (v TaskView) HostPort(container string, port int32) int32 {
	for _, c := range v.Status.Containers {
		for _, b := range c.NetworkBindings {
			if c.Name == container && aws.Val(b.ContainerPort) == port {
				return aws.Val(b.HostPort)
			}
		}
	}
	return 0
}
