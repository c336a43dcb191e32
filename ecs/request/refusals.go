package request

import (
	"reflect"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Refusal is a parameter, or a value of one, that is refused until its part exists.
type Refusal struct {
	Operations []string
	Field      string   // path of member names, through lists
	Values     []string // refused values; empty: any value but absent, empty and false
	Code       string   // of the error
	Message    string
}

// The operations that launch tasks, that shape services, and all
// that say how tasks are to be.
var (
	launching = []string{"RunTask", "StartTask"}
	services  = []string{"CreateService", "UpdateService"}
	tasks     = []string{"RunTask", "StartTask", "CreateService", "UpdateService"}
)

const (
	unsupported = shape.CodeUnsupportedFeatureException
	badInput    = shape.CodeInvalidParameterException
)

// Refusals are all of them. The coverage page of the documentation is made from this
// table.
var Refusals = []Refusal{
	{[]string{"RunTask", "CreateService"}, "launchType", []string{shape.LaunchTypeManagedInstances}, unsupported,
		"The launch type is not available in this region: ask for FARGATE, EC2 or EXTERNAL."},
	{tasks, "enableExecuteCommand", nil, badInput, "Execute command is not available in this region."},
	{tasks, "volumeConfigurations", nil, unsupported, "Volumes configured at launch are not available in this region."},
	{launching, "overrides.inferenceAcceleratorOverrides", nil, badInput, "Inference accelerators are not available in this region."},
	{launching, "overrides.containerOverrides.environmentFiles", nil, badInput, "Environment files are not available in this region."},
	{launching, "overrides.containerOverrides.resourceRequirements", nil, badInput, "GPUs and inference accelerators are not available in this region."},

	{services, "serviceConnectConfiguration.enabled", nil, unsupported, "Service Connect is not available in this region."},
	{services, "vpcLatticeConfigurations", nil, unsupported, "VPC Lattice is not available in this region."},
	{services, "availabilityZoneRebalancing", []string{shape.AvailabilityZoneRebalancingEnabled}, unsupported,
		"Availability Zone rebalancing is not available in this region."},
	{services, "deploymentController.type",
		[]string{shape.DeploymentControllerTypeCodeDeploy, shape.DeploymentControllerTypeExternal}, unsupported,
		"The deployment controller is not available in this region: use ECS."},
	{services, "deploymentConfiguration.strategy",
		[]string{shape.DeploymentStrategyBlueGreen, shape.DeploymentStrategyLinear, shape.DeploymentStrategyCanary}, unsupported,
		"The deployment strategy is not available in this region: use ROLLING."},
	{services, "deploymentConfiguration.alarms.enable", nil, unsupported, "Deployment alarms are not available in this region."},
	{services, "deploymentConfiguration.lifecycleHooks", nil, unsupported, "Deployment lifecycle hooks are not available in this region."},
	{services, "deploymentConfiguration.canaryConfiguration", nil, unsupported, "Canary deployments are not available in this region."},
	{services, "deploymentConfiguration.linearConfiguration", nil, unsupported, "Linear deployments are not available in this region."},
	{services, "deploymentConfiguration.bakeTimeInMinutes", nil, unsupported, "A bake time is not available in this region."},

	{[]string{"CreateCluster", "UpdateCluster"}, "serviceConnectDefaults", nil, badInput, "Service Connect is not available in this region."},
	{[]string{"CreateCluster", "UpdateCluster"}, "configuration.managedStorageConfiguration", nil, badInput,
		"Managed storage is not available in this region."},
	{[]string{"ListTasks"}, "daemonName", nil, badInput, "Daemons are not available in this region."},
}

// ephemeral storage of a size of its own is FARGATE's.
const ephemeral = "ephemeralStorage"

// Definitions are the members of a task definition that are refused when tasks are to
// start from it. Most of what is missing needs no row: its required attribute is one
// that no container instance has.
var Definitions = []Refusal{
	{tasks, "containerDefinitions.resourceRequirements", nil, unsupported, "GPUs and inference accelerators are not available in this region."},
	{tasks, ephemeral, nil, unsupported, "Ephemeral storage can only be configured for tasks on Fargate."},
	{tasks, "volumes.configuredAtLaunch", nil, unsupported, "Volumes configured at launch are not available in this region."},
}

// RefuseDefinition answers the error of the first of Definitions that a task
// definition runs into. launchType may be empty: the instance decides.
func RefuseDefinition(d *shape.TaskDefinition, launchType string) error {
	for _, r := range Definitions {
		if r.Field == ephemeral && launchType == shape.LaunchTypeFargate {
			continue
		}
		if given(reflect.ValueOf(d), strings.Split(r.Field, "."), r.Values) {
			return &aws.Error{Code: r.Code, Message: r.Message + " (" + r.Field + ")"}
		}
	}
	return nil
}

// Keeping is a parameter that is accepted, kept and answered, and has no effect
// until its part exists.
type Keeping struct {
	Operations []string
	Field      string
	Until      string
}

// Kept are all of them, for the coverage page.
var Kept = []Keeping{
	{[]string{"CreateCluster", "UpdateCluster", "UpdateClusterSettings"}, "settings (containerInsights)", "metrics"},
	{[]string{"CreateCluster", "UpdateCluster"}, "configuration.executeCommandConfiguration", "ECS Exec"},
	{[]string{"PutAccountSetting", "PutAccountSettingDefault"}, "dualStackIPv6", "tasks get IPv6 addresses when their subnets assign them"},
	{[]string{"PutAccountSetting", "PutAccountSettingDefault"}, "fargateFIPSMode, fargateTaskRetirementWaitPeriod, fargateEventWindows", "capacity for FARGATE"},
	{[]string{"PutAccountSetting", "PutAccountSettingDefault"}, "tagResourceAuthorization", "policies"},
	{[]string{"RegisterTaskDefinition"}, "containerDefinitions.versionConsistency", "digests are resolved before a task is placed"},
	{[]string{"RegisterTaskDefinition"}, "containerDefinitions.portMappings.appProtocol", "Service Connect"},
}

// Refuse answers the error of the first refusal that a request runs into.
func Refuse(operation string, in any) error {
	for _, r := range Refusals {
		if slices.Contains(r.Operations, operation) && given(reflect.ValueOf(in), strings.Split(r.Field, "."), r.Values) {
			return &aws.Error{Code: r.Code, Message: r.Message + " (" + r.Field + ")"}
		}
	}
	return nil
}

// given walks a path of members and says whether what is there is refused.
func given(v reflect.Value, path, values []string) bool {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	if len(path) == 0 {
		if len(values) > 0 {
			return slices.Contains(values, v.String())
		}
		switch v.Kind() {
		case reflect.Slice, reflect.Map:
			return v.Len() > 0
		case reflect.Struct:
			return true
		default:
			return !v.IsZero()
		}
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if given(v.Index(i), path, values) {
				return true
			}
		}
		return false
	}
	f := v.FieldByName(member(path[0]))
	return f.IsValid() && given(f, path[1:], values)
}

// member is the field of a member.
func member(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
