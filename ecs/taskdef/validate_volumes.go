package taskdef

import (
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// checkVolumes: names of their own, at most one kind each, and each kind's rules.
func checkVolumes(in *shape.RegisterTaskDefinitionRequest) error {
	seen, launched := map[string]bool{}, 0
	for _, v := range in.Volumes {
		name := aws.Val(v.Name)
		switch {
		case name == "":
			return invalid("Volume name should not be null or empty.")
		case !validName.MatchString(name):
			return invalid("Volume name '%s' contains invalid characters.", name)
		case seen[name]:
			return invalid("Duplicate volume name '%s'.", name)
		}
		seen[name] = true
		if aws.Val(v.ConfiguredAtLaunch) {
			launched++
		}
		for _, check := range []func(shape.Volume) error{checkKinds, checkDockerVolume, checkEFS, checkS3Files, checkFSx} {
			if err := check(v); err != nil {
				return err
			}
		}
	}
	if launched > 1 { // Volume.configuredAtLaunch
		return invalid("A task definition may have only one volume that is configured at launch.")
	}
	return nil
}

func checkKinds(v shape.Volume) error {
	var kinds []string
	for _, k := range []struct {
		set  bool
		name string
	}{
		{v.Host != nil, "host"}, {v.DockerVolumeConfiguration != nil, "dockerVolumeConfiguration"},
		{v.EfsVolumeConfiguration != nil, "efsVolumeConfiguration"}, {v.S3filesVolumeConfiguration != nil, "s3filesVolumeConfiguration"},
		{v.FsxWindowsFileServerVolumeConfiguration != nil, "fsxWindowsFileServerVolumeConfiguration"},
		{aws.Val(v.ConfiguredAtLaunch), "configuredAtLaunch"},
	} {
		if k.set {
			kinds = append(kinds, k.name)
		}
	}
	if len(kinds) > 1 {
		return invalid("Volume '%s' may have only one of %s.", aws.Val(v.Name), strings.Join(kinds, " and "))
	}
	if v.Host != nil && aws.Val(v.Host.SourcePath) != "" && !absolute(*v.Host.SourcePath) {
		return invalid("Volume '%s': 'sourcePath' must be absolute.", aws.Val(v.Name))
	}
	return nil
}

// absolute accepts C:\ too: FSx and Windows instances exist beside ours.
func absolute(path string) bool {
	return strings.HasPrefix(path, "/") || len(path) > 2 && path[1] == ':' && path[2] == '\\'
}

func checkDockerVolume(v shape.Volume) error {
	d := v.DockerVolumeConfiguration
	if d == nil {
		return nil
	}
	if d.Autoprovision != nil && !*d.Autoprovision && aws.Val(d.Scope) != shape.ScopeShared {
		return invalid("When 'scope' parameter is 'task', 'autoprovision' must either not be specified or set to 'True'.")
	}
	return oneOf("for volume '"+aws.Val(v.Name)+"'", []choice{{"scope", d.Scope, []string{shape.ScopeTask, shape.ScopeShared}}})
}

func checkEFS(v shape.Volume) error {
	e := v.EfsVolumeConfiguration
	if e == nil {
		return nil
	}
	a, encrypted := shape.EFSAuthorizationConfig{}, aws.Val(e.TransitEncryption) == shape.EFSTransitEncryptionEnabled
	if e.AuthorizationConfig != nil {
		a = *e.AuthorizationConfig
	}
	switch {
	case aws.Val(e.FileSystemId) == "":
		return invalid("Volume '%s': 'fileSystemId' should not be null or empty.", aws.Val(v.Name))
	case aws.Val(a.Iam) == shape.EFSAuthorizationConfigIAMEnabled && !encrypted:
		return invalid("EFS IAM authorization requires TransitEncryption to be enabled.")
	case e.TransitEncryptionPort != nil && !encrypted:
		return invalid("TransitEncryptionPort requires that TransitEncryption is enabled.")
	case aws.Val(a.AccessPointId) != "" && e.RootDirectory != nil && *e.RootDirectory != "/":
		return invalid("When using an EFS access point, the root directory must either be set to \"/\" or be omitted.")
	}
	states := []string{shape.EFSTransitEncryptionEnabled, shape.EFSTransitEncryptionDisabled}
	if err := checkPortOfVolume(v, e.TransitEncryptionPort); err != nil {
		return err
	}
	return oneOf("for volume '"+aws.Val(v.Name)+"'", []choice{{"transitEncryption", e.TransitEncryption, states}, {"iam", a.Iam, states}})
}

func checkPortOfVolume(v shape.Volume, port *int32) error {
	if port != nil && (*port < 1 || *port > 65535) {
		return invalid("Volume '%s': 'transitEncryptionPort' must be between 1 and 65535.", aws.Val(v.Name))
	}
	return nil
}

func checkS3Files(v shape.Volume) error {
	s := v.S3filesVolumeConfiguration
	switch {
	case s == nil:
		return nil
	case aws.Val(s.FileSystemArn) == "":
		return invalid("Volume '%s': 'fileSystemArn' should not be null or empty.", aws.Val(v.Name))
	case aws.Val(s.AccessPointArn) != "" && s.RootDirectory != nil && *s.RootDirectory != "/":
		return invalid("When using an S3 Files access point, the root directory must either be set to \"/\" or be omitted.")
	}
	return checkPortOfVolume(v, s.TransitEncryptionPort)
}

func checkFSx(v shape.Volume) error {
	f := v.FsxWindowsFileServerVolumeConfiguration
	if f == nil {
		return nil
	}
	a := f.AuthorizationConfig
	if aws.Val(f.FileSystemId) == "" || aws.Val(f.RootDirectory) == "" || a == nil || aws.Val(a.CredentialsParameter) == "" || aws.Val(a.Domain) == "" {
		return invalid("Volume '%s': 'fileSystemId', 'rootDirectory' and 'authorizationConfig' with 'credentialsParameter' and 'domain' must be specified.", aws.Val(v.Name))
	}
	return nil
}
