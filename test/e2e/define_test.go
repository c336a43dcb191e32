package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// family is a test's own name for what it makes.
func family(t testing.TB) string {
	return strings.NewReplacer("/", "-", ":", "-", ".", "-", "'", "").Replace(t.Name())
}

// script is a container that runs a shell script.
func script(name, text string, change ...func(*types.ContainerDefinition)) types.ContainerDefinition {
	c := types.ContainerDefinition{
		Name: aws.String(name), Image: aws.String(busyboxImage), Memory: aws.Int32(32),
		EntryPoint: []string{"sh", "-c"}, Command: []string{text},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

// idle is a script that does nothing until it is asked to stop.
const idle = `trap 'exit 0' TERM; while :; do sleep 1000 & wait; done`

// peer is a container of ./peer that answers its name, with its ports published to ports that the node chooses.
func peer(name string, listen ...string) types.ContainerDefinition {
	c := types.ContainerDefinition{
		Name: aws.String(name), Image: aws.String(peerImage), Memory: aws.Int32(32), Command: listen,
		Environment: []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: aws.String(name)}},
	}
	for _, l := range listen {
		protocol, port, _ := strings.Cut(l, ":")
		c.PortMappings = append(c.PortMappings, mapping(number(port), 0, types.TransportProtocol(protocol)))
	}
	return c
}

func mapping(container, host int32, protocol types.TransportProtocol) types.PortMapping {
	return types.PortMapping{ContainerPort: aws.Int32(container), HostPort: aws.Int32(host), Protocol: protocol}
}

// define is a task definition of the test's family.
func define(t testing.TB, cs ...types.ContainerDefinition) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{Family: aws.String(family(t)), ContainerDefinitions: cs}
}

// register registers a definition, until the test ends.
func register(t testing.TB, d *ecs.RegisterTaskDefinitionInput) string {
	t.Helper()
	out, err := region.ECS.RegisterTaskDefinition(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(out.TaskDefinition.TaskDefinitionArn)
	t.Cleanup(func() {
		_, _ = region.ECS.DeregisterTaskDefinition(detached(t), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &arn})
	})
	return arn
}

// depends lets a container wait for another.
func depends(on string, condition types.ContainerCondition) func(*types.ContainerDefinition) {
	return func(c *types.ContainerDefinition) {
		c.DependsOn = append(c.DependsOn, types.ContainerDependency{ContainerName: aws.String(on), Condition: condition})
	}
}

func optional(c *types.ContainerDefinition) { c.Essential = aws.Bool(false) }
