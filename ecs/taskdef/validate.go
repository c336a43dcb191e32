package taskdef

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Where the rules are from: the members' descriptions in the API reference, named in
// comments by structure and member, and the developer guide. Where the sentences are
// from: AWS, as quoted by public issue threads and by the deployments that
// github.com/badmintoncryer/cdk-preflight records (rules/ecs/*/meta.yaml). Rules
// whose sentence was not seen follow AWS's "Invalid '<field>' setting for container
// '<name>'".

// validName is the rule for families, containers and volumes.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// validate answers the first rule that a request breaks. Containers come before
// what FARGATE wants of the task, as AWS judges them.
func validate(in *shape.RegisterTaskDefinitionRequest) error {
	checks := []func(*shape.RegisterTaskDefinitionRequest) error{
		checkFamily, checkModes, checkSizes, checkVolumes, checkConstraints, checkContainers, checkPortsOfTask,
		checkLinks, checkDependencies, checkTaskCPU, checkTaskMemory, checkTask, checkProxy, checkLaunchTypes, checkRegion,
	}
	for _, check := range checks {
		if err := check(in); err != nil {
			return err
		}
	}
	return nil
}

func checkFamily(in *shape.RegisterTaskDefinitionRequest) error {
	family := aws.Val(in.Family)
	switch {
	case family == "":
		return invalid("Family should not be null or empty.")
	case !validName.MatchString(family):
		return invalid("Family contains invalid characters. It may hold up to 255 letters, numbers, hyphens and underscores.")
	}
	return nil
}

func checkModes(in *shape.RegisterTaskDefinitionRequest) error {
	return oneOf("for task", []choice{
		{"networkMode", in.NetworkMode, []string{shape.NetworkModeBridge, shape.NetworkModeHost, shape.NetworkModeAwsvpc, shape.NetworkModeNone}},
		{"pidMode", in.PidMode, []string{shape.PidModeHost, shape.PidModeTask}},
		{"ipcMode", in.IpcMode, []string{shape.IpcModeHost, shape.IpcModeTask, shape.IpcModeNone}},
	})
}

// choice is a member that has one of a few values, or is absent.
type choice struct {
	field   string
	value   *string
	allowed []string
}

func oneOf(whose string, choices []choice) error {
	for _, c := range choices {
		if c.value != nil && !slices.Contains(c.allowed, *c.value) {
			return invalid("Invalid '%s' setting %s: '%s' must be one of [%s].", c.field, whose, *c.value, strings.Join(c.allowed, ","))
		}
	}
	return nil
}

// maxLength is the size of a task definition in AWS's service quotas: 64 KB.
const maxLength = 65536

// checkLength measures a definition as it is answered, defaults filled in: what is
// answered must not be too long to be registered again.
func checkLength(d *shape.TaskDefinition) error {
	said := *d
	said.Compatibilities, said.RequiresAttributes, said.RegisteredAt, said.RegisteredBy = nil, nil, nil, nil
	said.Revision, said.Status, said.TaskDefinitionArn = nil, nil, nil
	b, err := json.Marshal(said)
	if err != nil {
		return invalid("The task definition cannot be written as JSON: %v.", err)
	}
	if len(b) > maxLength {
		return invalid("Actual length: '%d'. Max allowed length is '%d' bytes.", len(b), maxLength)
	}
	return nil
}

// checkRegion refuses what AWS takes and this region has nothing for, where no
// required attribute says so.
func checkRegion(in *shape.RegisterTaskDefinitionRequest) error {
	if windows(in) {
		return invalid("Windows containers are not available in this region: nodes are Linux machines.")
	}
	for _, c := range in.ContainerDefinitions {
		if len(c.ResourceRequirements) > 0 {
			return invalid("Invalid 'resourceRequirements' setting for container '%s': GPUs are not available in this region.", aws.Val(c.Name))
		}
	}
	return nil
}
