package taskdef

import (
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// logDrivers are those of LogConfiguration.logDriver, and none, which agents
// announce too.
var logDrivers = []string{
	shape.LogDriverJsonFile, shape.LogDriverSyslog, shape.LogDriverJournald, shape.LogDriverGelf, shape.LogDriverFluentd,
	shape.LogDriverAwslogs, shape.LogDriverSplunk, shape.LogDriverAwsfirelens, "none",
}

// requiredOptions are what a driver cannot do without, in the order AWS names them.
var requiredOptions = map[string][]string{
	shape.LogDriverAwslogs: {"awslogs-region", "awslogs-group"},
	shape.LogDriverSplunk:  {"splunk-token", "splunk-url"}, // splunk-token may be a secret option
}

func checkLogs(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	l := c.LogConfiguration
	if l == nil {
		return nil
	}
	driver := aws.Val(l.LogDriver)
	if err := logDriver(driver, logDrivers); err != nil {
		return err
	}
	var missing []string
	for _, o := range requiredOptions[driver] {
		secret := slices.ContainsFunc(l.SecretOptions, func(s shape.Secret) bool { return aws.Val(s.Name) == o })
		if l.Options[o] == "" && !secret {
			missing = append(missing, o)
		}
	}
	switch {
	case len(missing) > 0:
		return invalid("Log driver %s requires options: %s", driver, strings.Join(missing, ", "))
	case driver == shape.LogDriverAwslogs && l.Options["awslogs-datetime-format"] != "" && l.Options["awslogs-multiline-pattern"] != "":
		return invalid("You cannot configure both the awslogs-datetime-format and awslogs-multiline-pattern options.")
	case driver == shape.LogDriverAwsfirelens && !hasRouter(in):
		return invalid("When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.")
	}
	return oneOf("for container '"+aws.Val(c.Name)+"'", []choice{{"logConfiguration.mode", present(l.Options, "mode"), []string{"blocking", "non-blocking"}}})
}

func logDriver(driver string, allowed []string) error {
	if !slices.Contains(allowed, driver) {
		return invalid("%s is not a valid log driver. Must be one of [%s]", driver, strings.Join(allowed, ","))
	}
	return nil
}

func hasRouter(in *shape.RegisterTaskDefinitionRequest) bool {
	return slices.ContainsFunc(in.ContainerDefinitions, func(c shape.ContainerDefinition) bool { return c.FirelensConfiguration != nil })
}

// present answers a map's value, nil when there is none.
func present(m map[string]string, key string) *string {
	if v, ok := m[key]; ok {
		return &v
	}
	return nil
}

// checkFirelens: FirelensConfiguration. One container of a task routes its logs.
func checkFirelens(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	f := c.FirelensConfiguration
	if f == nil {
		return nil
	}
	routers := 0
	for _, o := range in.ContainerDefinitions {
		if o.FirelensConfiguration != nil {
			routers++
		}
	}
	switch {
	case routers > 1:
		return invalid("Only one container of a task definition may have a firelens configuration.")
	case routed(*c):
		return invalid("Invalid 'firelensConfiguration' setting for container '%s': a log router cannot use the awsfirelens log driver.", aws.Val(c.Name))
	case f.Options["config-file-type"] == "s3" && !s3Object(f.Options["config-file-value"]):
		return invalid("Invalid arn syntax.")
	}
	if err := oneOf("for container '"+aws.Val(c.Name)+"'", []choice{
		{"firelensConfiguration.type", aws.Ptr(aws.Val(f.Type)), []string{shape.FirelensConfigurationTypeFluentd, shape.FirelensConfigurationTypeFluentbit}},
		{"firelensConfiguration.options.config-file-type", present(f.Options, "config-file-type"), []string{"file", "s3"}},
		{"firelensConfiguration.options.enable-ecs-log-metadata", present(f.Options, "enable-ecs-log-metadata"), []string{"true", "false"}},
	}); err != nil {
		return err
	}
	if !slices.ContainsFunc(in.ContainerDefinitions, routed) {
		return invalid("When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver.")
	}
	return nil
}

// routed says whether a container's logs go to the task's router.
func routed(c shape.ContainerDefinition) bool {
	return c.LogConfiguration != nil && is(c.LogConfiguration.LogDriver, shape.LogDriverAwsfirelens)
}
