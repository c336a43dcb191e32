package taskdef

import (
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// logOptions are the options of log drivers that want a newer Docker.
var logOptions = []struct {
	name, value string // value: "" is any
	attribute   string
}{
	{"awslogs-create-group", "true", docker + "1.29"},
	{"mode", "", docker + "1.28"},
	{"max-buffer-size", "", docker + "1.28"},
}

// logAttributes are those of a container's log driver.
func logAttributes(d *shape.TaskDefinition, c *shape.ContainerDefinition) []string {
	l := c.LogConfiguration
	if l == nil {
		return nil
	}
	driver := aws.Val(l.LogDriver)
	names := []string{comAmazon + "logging-driver." + driver}
	switch driver {
	case shape.LogDriverAwslogs:
		names = append(names, docker+"1.19")
		if hasExecutionRole(d) {
			names = append(names, capability+"execution-role-awslogs")
		}
	case shape.LogDriverAwsfirelens:
		if l.Options["log-driver-buffer-limit"] != "" {
			names = append(names, capability+"logging-driver.awsfirelens.log-driver-buffer-limit")
		}
		return names // its options are the router's
	default:
		names = append(names, docker+"1.18") // ContainerDefinition.logConfiguration
	}
	for _, o := range logOptions {
		if v, ok := l.Options[o.name]; ok && (o.value == "" || strings.EqualFold(v, o.value)) {
			names = append(names, o.attribute)
		}
	}
	return names
}

func firelensAttributes(c *shape.ContainerDefinition) []string {
	f := c.FirelensConfiguration
	if f == nil {
		return nil
	}
	names := []string{capability + "firelens." + aws.Val(f.Type)}
	if t := f.Options["config-file-type"]; t != "" {
		names = append(names, capability+"firelens.options.config."+t)
	}
	return names
}

// secretAttributes name the store of each secret: Secrets Manager by its ARN, else
// the Parameter Store (Secret.valueFrom).
func secretAttributes(c *shape.ContainerDefinition) []string {
	var names []string
	for _, s := range c.Secrets {
		names = append(names, capability+"secrets."+secretStore(s)+".environment-variables")
	}
	if l := c.LogConfiguration; l != nil {
		for _, s := range l.SecretOptions {
			names = append(names, capability+"secrets."+secretStore(s)+".bootstrap.log-driver")
		}
	}
	return names
}

func secretStore(s shape.Secret) string {
	if strings.Contains(aws.Val(s.ValueFrom), ":secretsmanager:") {
		return "asm"
	}
	return "ssm"
}
