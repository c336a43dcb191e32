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
var ecr = regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr\.`)

// requires are the attributes that a container instance must have to run the
// task, by name.
func requires(d *shape.TaskDefinition) []shape.Attribute {
	set := map[string]bool{}
	taskRequires(d, set)
	for i := range d.ContainerDefinitions {
		containerRequires(d, &d.ContainerDefinitions[i], set)
	}
	for _, v := range d.Volumes {
		volumeRequires(v, set)
	}
	var all []shape.Attribute
	for _, name := range slices.Sorted(maps.Keys(set)) {
		all = append(all, shape.Attribute{Name: aws.Ptr(name)})
	}
	return all
}

func add(set map[string]bool, when bool, names ...string) {
	for _, n := range names {
		if when {
			set[n] = true
		}
	}
}

func taskRequires(d *shape.TaskDefinition, set map[string]bool) {
	mode := aws.Val(d.NetworkMode)
	add(set, mode == shape.NetworkModeAwsvpc, capability+"task-eni", docker+"1.18")
	role := aws.Val(d.TaskRoleArn) != ""
	add(set, role && mode == shape.NetworkModeHost, comAmazon+"task-iam-role-network-host")
	add(set, role && mode != shape.NetworkModeHost, comAmazon+"task-iam-role")
	add(set, role, docker+"1.17")
	add(set, d.Cpu != nil || d.Memory != nil, capability+"task-cpu-mem-limit")
	add(set, d.PidMode != nil || d.IpcMode != nil, capability+"pid-ipc-namespace-sharing")
	add(set, d.ProxyConfiguration != nil, capability+"aws-appmesh")
	add(set, len(d.InferenceAccelerators) > 0, capability+"task-eia")
	add(set, aws.Val(d.EnableFaultInjection), capability+"fault-injection")
}

func containerRequires(d *shape.TaskDefinition, c *shape.ContainerDefinition, set map[string]bool) {
	execution := aws.Val(d.ExecutionRoleArn) != ""
	private := ecr.MatchString(aws.Val(c.Image))
	add(set, private, comAmazon+"ecr-auth", docker+"1.19")
	add(set, private && execution, capability+"execution-role-ecr-pull")
	if l := c.LogConfiguration; l != nil {
		driver := aws.Val(l.LogDriver)
		add(set, true, comAmazon+"logging-driver."+driver)
		add(set, driver == shape.LogDriverAwslogs, docker+"1.19")
		add(set, driver == shape.LogDriverAwslogs && execution, capability+"execution-role-awslogs")
		add(set, driver != shape.LogDriverAwslogs, docker+"1.18")
	}
	add(set, aws.Val(c.Privileged), comAmazon+"privileged-container")
	add(set, c.HealthCheck != nil, capability+"container-health-check", docker+"1.24")
	add(set, len(c.DependsOn) > 0 || c.StartTimeout != nil || c.StopTimeout != nil, capability+"container-ordering")
	add(set, len(c.CredentialSpecs) > 0, capability+"gmsa")
	add(set, len(c.EnvironmentFiles) > 0, capability+"env-files.s3")
	add(set, c.RepositoryCredentials != nil, capability+"private-registry-authentication.secretsmanager")
	add(set, c.RestartPolicy != nil && aws.Val(c.RestartPolicy.Enabled), capability+"container-restart-policy")
	if f := c.FirelensConfiguration; f != nil {
		add(set, true, capability+"firelens."+aws.Val(f.Type))
	}
	for _, p := range c.PortMappings {
		add(set, p.ContainerPortRange != nil, capability+"network.container-port-range")
	}
	secretRequires(c, set)
	linuxRequires(c.LinuxParameters, set)
}

func secretRequires(c *shape.ContainerDefinition, set map[string]bool) {
	for _, s := range c.Secrets {
		asm := strings.Contains(aws.Val(s.ValueFrom), ":secretsmanager:")
		add(set, asm, capability+"secrets.asm.environment-variables")
		add(set, !asm, capability+"secrets.ssm.environment-variables")
	}
	if c.LogConfiguration == nil {
		return
	}
	for _, s := range c.LogConfiguration.SecretOptions {
		asm := strings.Contains(aws.Val(s.ValueFrom), ":secretsmanager:")
		add(set, asm, capability+"secrets.asm.bootstrap.log-driver")
		add(set, !asm, capability+"secrets.ssm.bootstrap.log-driver")
	}
}

func linuxRequires(l *shape.LinuxParameters, set map[string]bool) {
	if l == nil {
		return
	}
	add(set, l.SharedMemorySize != nil || len(l.Tmpfs) > 0, docker+"1.22")
	add(set, aws.Val(l.InitProcessEnabled), docker+"1.25")
}

func volumeRequires(v shape.Volume, set map[string]bool) {
	if d := v.DockerVolumeConfiguration; d != nil {
		driver := aws.Val(d.Driver)
		if driver == "" {
			driver = "local"
		}
		add(set, true, capability+"docker-plugin."+strings.ReplaceAll(driver, ":", "."), docker+"1.25")
	}
	add(set, v.FsxWindowsFileServerVolumeConfiguration != nil, capability+"fsxWindowsFileServer")
	add(set, v.S3filesVolumeConfiguration != nil, capability+"storage.s3-files")
	if e := v.EfsVolumeConfiguration; e != nil {
		add(set, true, capability+"efs")
		add(set, e.AuthorizationConfig != nil, capability+"efsAuth")
	}
}
