package request

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/place"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Attributes that say what kind of instance registers.
const (
	// NodeAttribute names the berth node that an instance is on: instances of one
	// node share its ledger.
	NodeAttribute = place.BerthNode
	external      = "ecs.capability.external"
)

// Registration is what the registration of a container instance says.
type Registration struct {
	LaunchType    string
	Node          string // the berth node it is on, if it says so
	EC2InstanceID string
	Resources     []shape.Resource

	sent     []shape.Attribute
	identity identity
}

// identity is what an EC2 instance's identity document holds of use here.
type identity struct {
	InstanceID       string `json:"instanceId"`
	InstanceType     string `json:"instanceType"`
	ImageID          string `json:"imageId"`
	AvailabilityZone string `json:"availabilityZone"`
	Architecture     string `json:"architecture"`
}

// ReadRegistration judges and reads a registration.
func ReadRegistration(in *shape.RegisterContainerInstanceRequest) (Registration, error) {
	r := Registration{LaunchType: shape.LaunchTypeEc2, Resources: slices.Clone(in.TotalResources), sent: in.Attributes}
	for _, a := range in.Attributes {
		switch aws.Val(a.Name) {
		case "":
			return r, Invalid("Attribute names cannot be empty.")
		case external:
			r.LaunchType = shape.LaunchTypeExternal
		case NodeAttribute:
			r.Node = aws.Val(a.Value)
		}
	}
	if r.Node != "" && !ValidName.MatchString(r.Node) {
		return r, Invalid("Invalid value of attribute %s: '%s' is not the id of a node.", NodeAttribute, r.Node)
	}
	for _, t := range r.Resources {
		if err := checkResource(t); err != nil {
			return r, err
		}
	}
	if doc := aws.Val(in.InstanceIdentityDocument); doc != "" {
		if err := json.Unmarshal([]byte(doc), &r.identity); err != nil {
			return r, Invalid("The instance identity document is not valid JSON.")
		}
	}
	r.EC2InstanceID = r.identity.InstanceID
	r.Resources = withDevices(r.Resources, in.PlatformDevices)
	return r, CheckTags(in.Tags)
}

func checkResource(r shape.Resource) error {
	name := aws.Val(r.Name)
	if name == "" {
		return Invalid("Resource names cannot be empty.")
	}
	if aws.Val(r.IntegerValue) < 0 || aws.Val(r.LongValue) < 0 || aws.Val(r.DoubleValue) < 0 {
		return Invalid("Invalid value of resource %s: it must not be negative.", name)
	}
	if name != ecs.ResourcePorts && name != ecs.ResourcePortsUDP {
		return nil
	}
	for _, s := range r.StringSetValue {
		if p, err := strconv.Atoi(s); err != nil || p < 0 || p > 65535 {
			return Invalid("Invalid value of resource %s: '%s' is not a port.", name, s)
		}
	}
	return nil
}

// withDevices adds GPUs as the resource that AWS answers them as.
func withDevices(rs []shape.Resource, devices []shape.PlatformDevice) []shape.Resource {
	var ids []string
	for _, d := range devices {
		if aws.Val(d.Type) == shape.PlatformDeviceTypeGpu {
			ids = append(ids, aws.Val(d.Id))
		}
	}
	if len(ids) == 0 {
		return rs
	}
	return append(rs, shape.Resource{Name: aws.Ptr("GPU"), Type: aws.Ptr(ecs.TypeStringSet), StringSetValue: ids})
}

// Attributes are those sent, then those of the machine that the agent left to us,
// then the custom ones of before: agents send those at their first registration
// only. zone is that of a machine that names none; it may be empty.
func (r Registration) Attributes(before []shape.Attribute, zone string) []shape.Attribute {
	all := slices.Clone(r.sent)
	add := func(name, value string) {
		has := func(k shape.Attribute) bool { return aws.Val(k.Name) == name }
		if value != "" && !slices.ContainsFunc(all, has) {
			all = append(all, shape.Attribute{Name: aws.Ptr(name), Value: aws.Ptr(value)})
		}
	}
	add(place.Zone, r.identity.AvailabilityZone)
	add(place.Zone, zone)
	add(place.Architecture, r.identity.Architecture)
	add("ecs.instance-type", r.identity.InstanceType)
	add("ecs.ami-id", r.identity.ImageID)
	for _, b := range before {
		if name := aws.Val(b.Name); CustomAttribute(name) {
			add(name, aws.Val(b.Value))
		}
	}
	return all
}
