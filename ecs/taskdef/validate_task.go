package taskdef

import (
	"slices"
	"strings"

	"github.com/berth-ecs/berth/ecs/place/query"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// maxConstraints: RegisterTaskDefinitionRequest.placementConstraints.
const maxConstraints = 10

// checkConstraints: a task definition's constraints are memberOf only.
func checkConstraints(in *shape.RegisterTaskDefinitionRequest) error {
	if len(in.PlacementConstraints) > maxConstraints {
		return invalid("Too many placement constraints: a task definition may have at most %d.", maxConstraints)
	}
	for _, c := range in.PlacementConstraints {
		if aws.Val(c.Type) != shape.PlacementConstraintTypeMemberOf {
			return invalid("constraint.type '%s' is not supported.", aws.Val(c.Type))
		}
		if aws.Val(c.Expression) == "" {
			return invalid("The expression of a memberOf placement constraint should not be null or empty.")
		}
		if _, err := query.Parse(*c.Expression); err != nil {
			return invalid("Invalid expression: %v.", err)
		}
	}
	return nil
}

// families are the operating systems of RuntimePlatform.
var families = []string{
	shape.OSFamilyLinux, shape.OSFamilyWindowsServer2016Full, shape.OSFamilyWindowsServer2004Core, shape.OSFamilyWindowsServer20h2Core,
	shape.OSFamilyWindowsServer2019Full, shape.OSFamilyWindowsServer2019Core, shape.OSFamilyWindowsServer2022Full,
	shape.OSFamilyWindowsServer2022Core, shape.OSFamilyWindowsServer2025Full, shape.OSFamilyWindowsServer2025Core,
}

// checkTask: what a task has besides containers, volumes and sizes.
func checkTask(in *shape.RegisterTaskDefinitionRequest) error {
	if len(in.InferenceAccelerators) > 0 { // Amazon Elastic Inference is retired
		return invalid("Unsupported field 'inferenceAccelerators'")
	}
	if err := CheckStorage(in.EphemeralStorage); err != nil {
		return err
	}
	p := in.RuntimePlatform
	if p == nil {
		return nil
	}
	return oneOf("for task", []choice{
		{"cpuArchitecture", p.CpuArchitecture, []string{shape.CPUArchitectureX8664, shape.CPUArchitectureArm64}},
		{"operatingSystemFamily", p.OperatingSystemFamily, families},
	})
}

// windows says whether a task runs on Windows.
func windows(in *shape.RegisterTaskDefinitionRequest) bool {
	return in.RuntimePlatform != nil && strings.HasPrefix(aws.Val(in.RuntimePlatform.OperatingSystemFamily), "WINDOWS")
}

// proxyPorts are the properties that an App Mesh proxy cannot do without, and what
// AWS says of their absence.
var proxyPorts = []struct{ name, sentence string }{
	{"ProxyIngressPort", "Ingress port not found"},
	{"ProxyEgressPort", "Egress port not found"},
	{"AppPorts", "App ports not found"},
}

// checkProxy: ProxyConfiguration.
func checkProxy(in *shape.RegisterTaskDefinitionRequest) error {
	p := in.ProxyConfiguration
	if p == nil {
		return nil
	}
	if err := oneOf("for proxyConfiguration", []choice{{"type", p.Type, []string{shape.ProxyConfigurationTypeAppmesh}}}); err != nil {
		return err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(p.Properties, func(kv shape.KeyValuePair) bool { return aws.Val(kv.Name) == name && aws.Val(kv.Value) != "" })
	}
	switch {
	case aws.Val(in.NetworkMode) != shape.NetworkModeAwsvpc:
		return invalid("APPMESH proxy configuration is only supported in networkMode=awsvpc")
	case container(in, aws.Val(p.ContainerName)) == nil:
		return invalid("Proxy container [%s] does not exist.", aws.Val(p.ContainerName))
	case !has("IgnoredUID") && !has("IgnoredGID"):
		return invalid("Either IgnoredUID or IgnoredGID of the proxy configuration must be specified.")
	}
	for _, port := range proxyPorts {
		if !has(port.name) {
			return invalid("%s", port.sentence)
		}
	}
	return nil
}
