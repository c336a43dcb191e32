package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/session"
)

// defaultStopTimeout is the ECS agent's ECS_CONTAINER_STOP_TIMEOUT.
const defaultStopTimeout = 30 * time.Second

// minShares is the least the kernel takes; the ECS agent raises 0 and 1 to it.
const minShares = 2

const mebi = 1 << 20

// builder makes one container of a task.
type builder struct {
	task    *Task
	in      session.Container
	all     []session.Container
	node    Node
	volumes map[string]string // name -> path
	config  config
	host    hostConfig
}

func (b *builder) container(i int) (Container, error) {
	if err := b.read(); err != nil {
		return Container{}, err
	}
	c := Container{
		ID: fmt.Sprintf("%s-%d", b.task.ID, i), Name: b.in.Name, ARN: b.in.ContainerArn, Image: b.in.Image,
		Essential: b.in.Essential, EntryPoint: b.in.EntryPoint, Command: b.in.Command,
		User: b.config.User, WorkingDirectory: b.config.WorkingDir, Hostname: b.config.Hostname,
		StopSignal: b.config.StopSignal, ReadonlyRootfs: b.host.ReadonlyRootfs,
		Privileged: b.in.Privileged || b.host.Privileged, Terminal: b.config.Tty, OpenStdin: b.config.OpenStdin,
		CapAdd: b.host.CapAdd, CapDrop: b.host.CapDrop, Sysctls: b.host.Sysctls,
		StartTimeout: time.Duration(b.in.StartTimeout) * time.Second,
	}
	if r := b.in.RegistryAuthentication; r != nil {
		c.Registry = &Registry{ID: r.ECR.RegistryID, Region: r.ECR.Region, Endpoint: r.ECR.EndpointOverride}
	}
	b.overlay(&c)
	b.stopTimeout(&c)
	for _, step := range []func(*Container) error{
		b.command, b.limits, b.linux, b.confine, b.network, b.names, b.logs, b.mounts, b.depends, b.links, b.inherits, b.health, b.restart,
	} {
		if err := step(&c); err != nil {
			return Container{}, err
		}
	}
	b.environment(&c)
	b.labels(&c)
	return c, nil
}

// read decodes the two documents and refuses what this node cannot do.
func (b *builder) read() error {
	if err := unavailable(b.in); err != nil {
		return err
	}
	if err := decode("dockerConfig.config", b.in.DockerConfig.Config, &b.config, inertConfig); err != nil {
		return err
	}
	if err := decode("dockerConfig.hostConfig", b.in.DockerConfig.HostConfig, &b.host, inertHostConfig); err != nil {
		return err
	}
	for _, o := range b.host.SecurityOpt {
		if o != "no-new-privileges" && o != "no-new-privileges:true" { // every container has it
			return fmt.Errorf("hostConfig.SecurityOpt %q: this node cannot change a container's confinement", o)
		}
	}
	return nil
}

// unavailable refuses the members whose part this node does not have.
func unavailable(c session.Container) error {
	switch {
	case c.Image == "":
		return errors.New("image: is required")
	case len(c.Secrets) > 0:
		return errors.New("secrets: this node cannot fetch secrets")
	case len(c.EnvironmentFiles) > 0:
		return errors.New("environmentFiles: this node cannot fetch environment files")
	case c.RegistryAuthentication != nil && (c.RegistryAuthentication.Type != session.RegistryECR || c.RegistryAuthentication.ECR == nil):
		return fmt.Errorf("registryAuthentication %q: this node signs in to ECR only", c.RegistryAuthentication.Type)
	case c.StartTimeout < 0 || c.StopTimeout != nil && *c.StopTimeout < 0:
		return errors.New("startTimeout and stopTimeout: must not be negative")
	}
	return nil
}

// overlay applies the members of Config that replace the payload's own.
func (b *builder) overlay(c *Container) {
	if b.config.Entrypoint != nil {
		c.EntryPoint = b.config.Entrypoint
	}
	if b.config.Cmd != nil {
		c.Command = b.config.Cmd
	}
	if b.config.Image != "" {
		c.Image = b.config.Image
	}
}

func (b *builder) restart(c *Container) (err error) {
	c.Restart, err = restart(b.in.RestartPolicy)
	return err
}

func (b *builder) stopTimeout(c *Container) {
	switch {
	case b.in.StopTimeout != nil:
		c.StopTimeout = time.Duration(*b.in.StopTimeout) * time.Second
	case b.config.StopTimeout != nil:
		c.StopTimeout = time.Duration(*b.config.StopTimeout) * time.Second
	case b.node.StopTimeout > 0:
		c.StopTimeout = b.node.StopTimeout
	default:
		c.StopTimeout = defaultStopTimeout
	}
}

// command applies the container's overrides: a JSON document whose only member may be "command".
func (b *builder) command(c *Container) error {
	keys, err := overrideKeys(b.in.Overrides)
	if err != nil {
		return fmt.Errorf("overrides: %w", err)
	}
	for k, v := range keys {
		if k != "command" {
			return fmt.Errorf("overrides.%s: only command may be overridden here", k)
		}
		var command []string
		if err := json.Unmarshal(v, &command); err != nil {
			return errors.New("overrides.command: must be a list of strings")
		}
		if command != nil {
			c.Command = command
		}
	}
	return nil
}

func overrideKeys(s string) (map[string]json.RawMessage, error) {
	if s == "" {
		return nil, nil
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s), &keys); err != nil {
		return nil, fmt.Errorf("%.100q: must be a JSON object", s)
	}
	return keys, nil
}

func (b *builder) limits(c *Container) error {
	c.CPU, c.MemoryMiB = b.in.CPU, b.in.Memory
	c.CPUShares = uint64(max(b.in.CPU, minShares))
	if b.host.CpuShares > 0 {
		c.CPUShares = uint64(max(b.host.CpuShares, minShares))
	}
	if b.host.Memory > 0 {
		c.MemoryMiB = b.host.Memory / mebi
	}
	c.MemoryReservationMiB = b.host.MemoryReservation / mebi
	if c.MemoryMiB < 0 || c.MemoryReservationMiB < 0 || b.in.CPU < 0 {
		return errors.New("cpu and memory: must not be negative")
	}
	if c.MemoryMiB > 0 && c.MemoryReservationMiB > c.MemoryMiB {
		return fmt.Errorf("memoryReservation %d MiB: must not be above memory %d MiB", c.MemoryReservationMiB, c.MemoryMiB)
	}
	for _, u := range b.host.Ulimits {
		if u.Soft > u.Hard && u.Hard >= 0 {
			return fmt.Errorf("ulimit %s: the soft limit %d is above the hard limit %d", u.Name, u.Soft, u.Hard)
		}
		c.Ulimits = append(c.Ulimits, u.limit())
	}
	return nil
}

// environment sorts what the payload sets and what the agent adds. The payload wins.
func (b *builder) environment(c *Container) {
	env := maps.Clone(b.in.Environment)
	if env == nil {
		env = map[string]string{}
	}
	for _, kv := range b.config.Env {
		k, v, _ := strings.Cut(kv, "=")
		env[k] = v
	}
	if c.NetworkMode != None {
		env["ECS_CONTAINER_METADATA_URI"] = metadataBase + "/v3/" + c.ID
		env["ECS_CONTAINER_METADATA_URI_V4"] = metadataBase + "/v4/" + c.ID
		env["ECS_AGENT_URI"] = metadataBase + "/api/" + c.ID
	}
	env["AWS_EXECUTION_ENV"] = executionEnv(b.task.LaunchType)
	for k, v := range env {
		c.env = append(c.env, k+"="+v)
	}
	slices.Sort(c.env)
	for _, k := range []string{"AWS_DEFAULT_REGION", "AWS_REGION"} {
		if _, set := env[k]; !set {
			c.defaults = append(c.defaults, k+"="+b.node.Region)
		}
	}
}

const metadataBase = "http://169.254.170.2"

func executionEnv(launchType string) string {
	if launchType == fargate {
		return "AWS_ECS_FARGATE"
	}
	return "AWS_ECS_EC2"
}

// Environ is the environment to set over the image's: the region is set only where the image does not.
func (c *Container) Environ(image []string) []string {
	out := slices.Clone(c.env)
	for _, d := range c.defaults {
		name, _, _ := strings.Cut(d, "=")
		if !slices.ContainsFunc(image, func(kv string) bool { return strings.HasPrefix(kv, name+"=") }) {
			out = append(out, d)
		}
	}
	return out
}

func (b *builder) labels(c *Container) {
	c.Labels = map[string]string{}
	maps.Copy(c.Labels, b.config.Labels)
	maps.Copy(c.Labels, map[string]string{
		"com.amazonaws.ecs.cluster":                 b.task.ClusterARN,
		"com.amazonaws.ecs.container-name":          c.Name,
		"com.amazonaws.ecs.task-arn":                b.task.ARN,
		"com.amazonaws.ecs.task-definition-family":  b.task.Family,
		"com.amazonaws.ecs.task-definition-version": b.task.Version,
	})
}

func (b *builder) depends(c *Container) error {
	for _, d := range b.in.DependsOn {
		switch d.Condition {
		case Start, Complete, Success, Healthy:
		default:
			return fmt.Errorf("dependsOn condition %q: must be START, COMPLETE, SUCCESS or HEALTHY", d.Condition)
		}
		on := slices.IndexFunc(b.all, func(o session.Container) bool { return o.Name == d.ContainerName })
		c.DependsOn = append(c.DependsOn, Dependency{On: on, Condition: d.Condition})
	}
	return nil
}

func (b *builder) logs(c *Container) error {
	c.LogDriver, c.LogOptions = b.host.LogConfig.Type, b.host.LogConfig.Config
	switch c.LogDriver {
	case "":
		c.LogDriver = "json-file"
	case "json-file", "awslogs", "none":
	default:
		return fmt.Errorf("logDriver %q: this node has json-file, awslogs and none", c.LogDriver)
	}
	return nil
}
