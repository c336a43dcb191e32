package taskdef

import (
	"regexp"
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// validName is the rule for families, containers and volumes.
var validName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// validate answers the first rule that a request breaks.
func validate(in *shape.RegisterTaskDefinitionRequest) error {
	checks := []func(*shape.RegisterTaskDefinitionRequest) error{
		checkFamily, checkModes, checkSizes, checkVolumes, checkConstraints, checkContainers, checkDependencies, checkFargate,
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
	for _, f := range []struct {
		name    string
		value   *string
		allowed []string
	}{
		{"networkMode", in.NetworkMode, []string{shape.NetworkModeBridge, shape.NetworkModeHost, shape.NetworkModeAwsvpc, shape.NetworkModeNone}},
		{"pidMode", in.PidMode, []string{shape.PidModeHost, shape.PidModeTask}},
		{"ipcMode", in.IpcMode, []string{shape.IpcModeHost, shape.IpcModeTask, shape.IpcModeNone}},
	} {
		if f.value != nil && !slices.Contains(f.allowed, *f.value) {
			return invalid("Invalid '%s' setting for task: %q is not one of %v.", f.name, *f.value, f.allowed)
		}
	}
	return nil
}

// checkConstraints: a task definition's constraints are memberOf only, at most 10.
func checkConstraints(in *shape.RegisterTaskDefinitionRequest) error {
	if len(in.PlacementConstraints) > 10 {
		return invalid("Too many placement constraints: a task definition may have at most 10.")
	}
	for _, c := range in.PlacementConstraints {
		if aws.Val(c.Type) != shape.PlacementConstraintTypeMemberOf {
			return invalid("Invalid placement constraint type %q for a task definition: only memberOf is valid.", aws.Val(c.Type))
		}
		if aws.Val(c.Expression) == "" {
			return invalid("The expression of a memberOf placement constraint should not be null or empty.")
		}
	}
	return nil
}

func checkVolumes(in *shape.RegisterTaskDefinitionRequest) error {
	seen := map[string]bool{}
	for _, v := range in.Volumes {
		name := aws.Val(v.Name)
		switch {
		case name == "":
			return invalid("Volume name should not be null or empty.")
		case !validName.MatchString(name):
			return invalid("Volume name '%s' contains invalid characters.", name)
		case seen[name]:
			return invalid("Duplicate volume name '%s'.", name)
		case v.Host != nil && v.DockerVolumeConfiguration != nil:
			return invalid("Volume '%s' may have only one of 'host' and 'dockerVolumeConfiguration'.", name)
		}
		seen[name] = true
		if d := v.DockerVolumeConfiguration; d != nil && d.Autoprovision != nil && aws.Val(d.Scope) != shape.ScopeShared {
			return invalid("Volume '%s': 'autoprovision' is only valid when 'scope' is 'shared'.", name)
		}
	}
	return nil
}
