package compose

import (
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestTheAccountsLogModeIsForContainersThatNameNone(t *testing.T) {
	const asked, other = `"mode":"non-blocking"`, `"mode":"blocking"`
	for name, c := range map[string]struct {
		log         *shape.LogConfiguration
		mode        string
		has, hasNot string
	}{
		"no log configuration": {nil, "non-blocking", "", "mode"},
		"names none":           {&shape.LogConfiguration{LogDriver: aws.Ptr("json-file"), Options: map[string]string{"max-size": "1m"}}, "non-blocking", asked, other},
		"without options":      {&shape.LogConfiguration{LogDriver: aws.Ptr("awslogs")}, "non-blocking", asked, other},
		"names one":            {&shape.LogConfiguration{LogDriver: aws.Ptr("awslogs"), Options: map[string]string{"mode": "blocking"}}, "non-blocking", other, asked},
		"has no driver":        {&shape.LogConfiguration{LogDriver: aws.Ptr("none")}, "non-blocking", "", "mode"},
		"blocking":             {&shape.LogConfiguration{LogDriver: aws.Ptr("awslogs")}, "blocking", "", "mode\""},
	} {
		t.Run(name, func(t *testing.T) {
			d := definition(shape.ContainerDefinition{LogConfiguration: c.log})
			got := start(t, task(shape.TaskOverride{}), LogMode(d, c.mode))
			host := got.Containers[0].DockerConfig.HostConfig
			if !strings.Contains(host, c.has) || strings.Contains(host, c.hasNot) {
				t.Errorf("host config %s", host)
			}
			if c.log != nil && len(d.Document.ContainerDefinitions[0].LogConfiguration.Options) != len(c.log.Options) {
				t.Error("the definition itself has changed")
			}
		})
	}
}
