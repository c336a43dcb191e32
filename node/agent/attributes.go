package agent

import (
	"cmp"
	"maps"
	goruntime "runtime"
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// nodeAttribute names the machine: container instances on one node share its resources.
const nodeAttribute = "berth.node-id"

// addressAttribute is where the machine is reached by others.
const addressAttribute = "berth.node-address"

// fargateAttribute says that the node's capacity is FARGATE's, too, and runtimeAttribute what such tasks run on; fargate is their launch type.
const (
	fargateAttribute = "berth.fargate"
	fargateEnabled   = "enabled"
	runtimeAttribute = "berth.fargate-runtime"
	fargate          = "FARGATE"

	// proxyAttribute is the version of the Envoy that the node can run: who needs one is placed where it is.
	proxyAttribute = "berth.proxy"

	storageCapability = capability + "extensible-ephemeral-storage"
)

const (
	capability = "ecs.capability."
	comAmazon  = "com.amazonaws.ecs.capability."
)

// dockerAPIs are the versions of Docker's remote API that the ECS agent claims; task definitions ask for them by what
// they use. plan honours or refuses the members themselves.
var dockerAPIs = []string{
	"1.17", "1.18", "1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.28", "1.29", "1.30", "1.32",
}

// capabilities are those of the ECS agent's that work here.
var capabilities = []string{
	comAmazon + "ecr-auth",
	comAmazon + "privileged-container",
	comAmazon + "logging-driver.json-file",
	comAmazon + "logging-driver.awslogs",
	comAmazon + "logging-driver.none",
	capability + "container-health-check",
	capability + "container-ordering",
	capability + "container-restart-policy",
	capability + "docker-plugin.local",
	capability + "execution-role-awslogs",  // the output stays on the node: no role is needed
	capability + "execution-role-ecr-pull", // nor here: the node signs in as itself
	capability + "full-sync",
	capability + "increased-task-cpu-limit",
	capability + "network.container-port-range",
	capability + "pid-ipc-namespace-sharing",
	capability + "task-cpu-mem-limit",
}

// interfaceCapabilities are those of a node whose tasks can have interfaces of their own. None of its tasks reaches what describes instances.
var interfaceCapabilities = []string{
	capability + "task-eni",
	capability + "task-eni-block-instance-metadata",
}

// attributes are what the node registers with, sorted by name. Custom ones go with the first registration only, so that
// PutAttributes can change them.
func (a *Agent) attributes(first bool) []shape.Attribute {
	all := map[string]string{
		"ecs.os-type": "linux", "ecs.os-family": "LINUX", "ecs.os-type-detailed": "LINUX",
		"ecs.cpu-architecture": architecture(), nodeAttribute: a.nodeID,
	}
	for _, name := range capabilities {
		all[name] = ""
	}
	if a.cfg.Interfaces != nil {
		for _, name := range interfaceCapabilities {
			all[name] = ""
		}
		if a.cfg.Proxy != "" {
			all[proxyAttribute] = a.cfg.Proxy
		}
		if a.cfg.Fargate {
			all[fargateAttribute], all[runtimeAttribute], all[storageCapability] = fargateEnabled, a.cfg.Sandboxes.Runtime(), ""
		}
	}
	for _, v := range dockerAPIs {
		all[comAmazon+"docker-remote-api."+v] = ""
	}
	if a.cfg.Zone != "" {
		all["ecs.availability-zone"] = a.cfg.Zone
	}
	if a.cfg.Address.IsValid() {
		all[addressAttribute] = a.cfg.Address.String()
	}
	if a.cfg.InstanceType != "" {
		all["ecs.instance-type"] = a.cfg.InstanceType
	}
	if first {
		maps.Copy(all, a.cfg.Attributes)
	}
	var out []shape.Attribute
	for _, name := range slices.Sorted(maps.Keys(all)) {
		attribute := shape.Attribute{Name: aws.Ptr(name)}
		if v := all[name]; v != "" {
			attribute.Value = aws.Ptr(v)
		}
		out = append(out, attribute)
	}
	return out
}

// architecture is the machine's in ECS's words.
func architecture() string {
	names := map[string]string{"amd64": "x86_64"}
	return cmp.Or(names[goruntime.GOARCH], goruntime.GOARCH)
}
