package request

import (
	"slices"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// CheckRegistries is all that can be said of the service registries of a request without the store: one at most, of an ARN that is one of Cloud Map.
func CheckRegistries(rs []shape.ServiceRegistry) error {
	if len(rs) > 1 {
		return Invalid("serviceRegistries can have at most 1 items.")
	}
	for _, r := range rs {
		if _, _, ok := ecs.RegistryID(aws.Val(r.RegistryArn)); !ok {
			return Invalid("The format of the supplied service registry ARN is invalid: %s.", aws.Val(r.RegistryArn))
		}
	}
	return nil
}

// NoRegistry is the error of a registry that does not exist.
func NoRegistry(r shape.ServiceRegistry) error {
	return Invalid("The service registry does not exist. Registry: %s", aws.Val(r.RegistryArn))
}

// CheckRegistry holds a service registry to the registry itself and to the task definition whose tasks are to be found in it.
func CheckRegistry(r shape.ServiceRegistry, as ecs.Registry, d *shape.TaskDefinition) error {
	pair := aws.Val(r.ContainerName) != "" || r.ContainerPort != nil
	refuse := func(why string) error { return Invalid("%s Registry: %s", why, aws.Val(r.RegistryArn)) }
	if r.Port != nil && pair {
		return refuse("Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both. Remove one and retry.")
	}
	if as.Has("CNAME") {
		return refuse("serviceRegistries value is configured to use a type 'CNAME' DNS record, which is not supported.")
	}
	switch aws.Val(d.NetworkMode) {
	case shape.NetworkModeAwsvpc:
		if err := checkOwnAddress(r, as, refuse); err != nil {
			return err
		}
	case shape.NetworkModeNone:
		return refuse("Service discovery is not supported when specifying 'none' for networkMode.")
	default:
		if err := checkHostAddress(r, as, refuse); err != nil {
			return err
		}
	}
	if !pair {
		return nil
	}
	return checkTarget(aws.Val(r.ContainerName), aws.Val(r.ContainerPort), d)
}

// checkOwnAddress: tasks with an address of their own have records of any type; a port is for SRV.
func checkOwnAddress(r shape.ServiceRegistry, as ecs.Registry, refuse func(string) error) error {
	pair := aws.Val(r.ContainerName) != "" || r.ContainerPort != nil
	whole := aws.Val(r.ContainerName) != "" && r.ContainerPort != nil
	switch byAPI := len(as.Records) == 0; {
	case as.Has("SRV") && r.Port == nil && !whole:
		return refuse("Specify a value for either 'port' or the 'containerName' and 'containerPort' combination: the serviceRegistries value is configured to use a type 'SRV' DNS record.")
	case pair && !whole:
		return refuse("Specify both 'containerName' and 'containerPort', or neither.")
	case as.Has("SRV"), byAPI:
		return nil
	case r.ContainerPort != nil:
		return refuse("The values specified for serviceRegistries do not require a value for 'containerPort'. Remove the value and retry.")
	case r.Port != nil:
		return refuse("The values specified for serviceRegistries do not require a value for 'port'. Remove the value and retry.")
	}
	return nil
}

// checkHostAddress: tasks at their machine's address are told apart by the port, which only SRV records have.
func checkHostAddress(r shape.ServiceRegistry, as ecs.Registry, refuse func(string) error) error {
	for _, record := range []string{"A", "AAAA"} {
		if as.Has(record) {
			return refuse("serviceRegistries value is configured to use a type '" + record +
				"' DNS record, which is not supported when specifying 'host' or 'bridge' for networkMode.")
		}
	}
	if aws.Val(r.ContainerName) == "" || r.ContainerPort == nil {
		return refuse("When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition.")
	}
	return nil
}

// checkTarget: the container is one of the task definition, and has the port.
func checkTarget(container string, port int32, d *shape.TaskDefinition) error {
	i := slices.IndexFunc(d.ContainerDefinitions, func(c shape.ContainerDefinition) bool { return aws.Val(c.Name) == container })
	if i < 0 {
		return Invalid("The container %s does not exist in the task definition.", container)
	}
	has := func(m shape.PortMapping) bool { return aws.Val(m.ContainerPort) == port }
	if !slices.ContainsFunc(d.ContainerDefinitions[i].PortMappings, has) {
		return Invalid("The container %s did not have a container port %d defined.", container, port)
	}
	return nil
}
