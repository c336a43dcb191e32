package taskdef

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

const (
	capability = "ecs.capability."
	comAmazon  = "com.amazonaws.ecs.capability."
	docker     = comAmazon + "docker-remote-api."
)

// ecr is the image name of a private ECR repository.
var ecr = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr[.-]`)

// need is an attribute, or several, and what of a task definition asks for them.
type need[T any] struct {
	asked func(*shape.TaskDefinition, T) bool
	names []string
}

type (
	ofTask      = need[struct{}]
	ofContainer = need[*shape.ContainerDefinition]
	ofVolume    = need[shape.Volume]
)

// The rows were read off task definitions that AWS answered, in public
// repositories: what has only one explanation there stands here. Sizes of the task
// bring no attribute, although agents announce task-cpu-mem-limit.
var taskNeeds = []ofTask{
	{func(d *shape.TaskDefinition, _ struct{}) bool { return is(d.NetworkMode, shape.NetworkModeAwsvpc) },
		[]string{capability + "task-eni", docker + "1.18"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool {
		return hasRole(d) && is(d.NetworkMode, shape.NetworkModeHost)
	},
		[]string{comAmazon + "task-iam-role-network-host"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool {
		return hasRole(d) && !is(d.NetworkMode, shape.NetworkModeHost)
	},
		[]string{comAmazon + "task-iam-role"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool { return d.PidMode != nil || d.IpcMode != nil },
		[]string{capability + "pid-ipc-namespace-sharing"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool { return is(d.IpcMode, shape.IpcModeNone) }, []string{docker + "1.32"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool { return d.ProxyConfiguration != nil }, []string{capability + "aws-appmesh"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool { return d.EphemeralStorage != nil },
		[]string{capability + "extensible-ephemeral-storage"}},
	{func(d *shape.TaskDefinition, _ struct{}) bool { return aws.Val(d.EnableFaultInjection) }, []string{capability + "fault-injection"}},
}

var containerNeeds = []ofContainer{
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return isECR(c) }, []string{comAmazon + "ecr-auth"}},
	{func(d *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return isECR(c) && hasExecutionRole(d)
	},
		[]string{capability + "execution-role-ecr-pull"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return c.User != nil }, []string{docker + "1.17"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return len(c.Ulimits) > 0 || len(c.DockerLabels) > 0
	},
		[]string{docker + "1.18"}}, // ContainerDefinition.ulimits, dockerLabels
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return c.MemoryReservation != nil }, []string{docker + "1.21"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return aws.Val(c.Privileged) },
		[]string{comAmazon + "privileged-container"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return c.HealthCheck != nil },
		[]string{capability + "container-health-check"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return c.HealthCheck != nil && c.HealthCheck.StartPeriod == nil
	}, []string{docker + "1.24"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return c.HealthCheck != nil && c.HealthCheck.StartPeriod != nil
	}, []string{docker + "1.29"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return len(c.DependsOn) > 0 || c.StartTimeout != nil || c.StopTimeout != nil
	}, []string{capability + "container-ordering"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return len(c.EnvironmentFiles) > 0 },
		[]string{capability + "env-files.s3"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return c.RepositoryCredentials != nil
	},
		[]string{capability + "private-registry-authentication.secretsmanager"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return c.RestartPolicy != nil && aws.Val(c.RestartPolicy.Enabled)
	}, []string{capability + "container-restart-policy"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return len(c.CredentialSpecs) > 0 || option(c, "credentialspec")
	},
		[]string{capability + "gmsa"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return option(c, "label") }, []string{comAmazon + "selinux"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool { return option(c, "apparmor") }, []string{comAmazon + "apparmor"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return option(c, "no-new-privileges")
	}, []string{docker + "1.23"}},
	{func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return slices.ContainsFunc(c.PortMappings, func(p shape.PortMapping) bool { return p.ContainerPortRange != nil })
	}, []string{capability + "network.container-port-range"}},
	{linux(func(l *shape.LinuxParameters) bool { return l.SharedMemorySize != nil || len(l.Tmpfs) > 0 }), []string{docker + "1.22"}},
	{linux(func(l *shape.LinuxParameters) bool { return aws.Val(l.InitProcessEnabled) }), []string{docker + "1.25"}},
}

var volumeNeeds = []ofVolume{
	{func(_ *shape.TaskDefinition, v shape.Volume) bool { return v.DockerVolumeConfiguration != nil }, []string{docker + "1.25"}},
	// AWS asks for efsAuth even where nothing is to be authorised.
	{func(_ *shape.TaskDefinition, v shape.Volume) bool { return v.EfsVolumeConfiguration != nil },
		[]string{capability + "efs", capability + "efsAuth", docker + "1.25"}},
	{func(_ *shape.TaskDefinition, v shape.Volume) bool { return v.S3filesVolumeConfiguration != nil }, []string{capability + "storage.s3-files"}},
	{func(_ *shape.TaskDefinition, v shape.Volume) bool {
		return v.FsxWindowsFileServerVolumeConfiguration != nil
	},
		[]string{capability + "fsxWindowsFileServer"}},
	{func(_ *shape.TaskDefinition, v shape.Volume) bool { return aws.Val(v.ConfiguredAtLaunch) },
		[]string{capability + "storage.ebs-task-volume-attach"}},
}

func is(p *string, value string) bool { return aws.Val(p) == value }

func hasRole(d *shape.TaskDefinition) bool { return aws.Val(d.TaskRoleArn) != "" }

func hasExecutionRole(d *shape.TaskDefinition) bool { return aws.Val(d.ExecutionRoleArn) != "" }

func isECR(c *shape.ContainerDefinition) bool { return ecr.MatchString(aws.Val(c.Image)) }

// option says whether a container has a Docker security option of a kind.
func option(c *shape.ContainerDefinition, kind string) bool {
	return slices.ContainsFunc(c.DockerSecurityOptions, func(o string) bool { return strings.HasPrefix(o, kind) })
}

func linux(asked func(*shape.LinuxParameters) bool) func(*shape.TaskDefinition, *shape.ContainerDefinition) bool {
	return func(_ *shape.TaskDefinition, c *shape.ContainerDefinition) bool {
		return c.LinuxParameters != nil && asked(c.LinuxParameters)
	}
}

// requires are the attributes that a container instance must have to run the
// task, by name.
func requires(d *shape.TaskDefinition) []shape.Attribute {
	set := map[string]bool{}
	collect(set, taskNeeds, d, struct{}{})
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		collect(set, containerNeeds, d, c)
		for _, name := range slices.Concat(secretAttributes(c), logAttributes(d, c), firelensAttributes(c)) {
			set[name] = true
		}
	}
	for _, v := range d.Volumes {
		collect(set, volumeNeeds, d, v)
		if c := v.DockerVolumeConfiguration; c != nil {
			set[capability+"docker-plugin."+strings.ReplaceAll(orLocal(c.Driver), ":", ".")] = true
		}
	}
	var all []shape.Attribute
	for _, name := range slices.Sorted(maps.Keys(set)) {
		all = append(all, shape.Attribute{Name: aws.Ptr(name)})
	}
	return all
}

func collect[T any](set map[string]bool, needs []need[T], d *shape.TaskDefinition, of T) {
	for _, n := range needs {
		if n.asked(d, of) {
			for _, name := range n.names {
				set[name] = true
			}
		}
	}
}

func orLocal(driver *string) string {
	if aws.Val(driver) == "" {
		return "local"
	}
	return *driver
}
