package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/audit/inventory"
	"github.com/berth-ecs/berth/test/rounds"
)

// Families of tasks in sandboxes. Those on FARGATE have one or not as the node's setting says, which changes from life to life of it.
const (
	fargateFamily = "fargate" // on FARGATE, two containers; the second is started again each minute
	checkedFamily = "checked" // the same with a health check, and it answers
	endingFamily  = "ending"  // on FARGATE, ends by itself
	boxFamily     = "box"     // on EC2, in a sandbox that it asks for
)

// noCapacity begins what FARGATE answers without room, or without a node.
const noCapacity = "Capacity is unavailable at this time."

func onFargate(family string) bool {
	return family == fargateFamily || family == checkedFamily || family == endingFamily
}

// private: its tasks have an interface of their own.
func private(family string) bool {
	return onFargate(family) || family == boxFamily || family == vpcFamily || family == behindFamily
}

// Scripts. A task that is in a sandbox is told its container's name by the metadata endpoint: its host name may be another's, later.
const (
	aliveScript = `trap 'exit 0' TERM; mkdir /www; echo alive > /www/index.html; httpd -f -p 80 -h /www & wait`
	againScript = `trap 'exit 0' TERM; sleep 63 & wait $!; exit 3`
	endScript   = `seq 1 20; usleep $WAIT; seq 21 40; exit $CODE`
	boxScript   = `echo ran >> /gate/ran-${ECS_CONTAINER_METADATA_URI_V4##*/}; ` + idleScript
)

// fargateDefinitions are those without a directory of the machine.
func fargateDefinitions() []*ecs.RegisterTaskDefinitionInput {
	small := func(d *ecs.RegisterTaskDefinitionInput) *ecs.RegisterTaskDefinitionInput {
		d.NetworkMode, d.RequiresCompatibilities = types.NetworkModeAwsvpc, []types.Compatibility{types.CompatibilityFargate}
		d.Cpu, d.Memory = aws.String("256"), aws.String("512")
		d.ContainerDefinitions[0].Memory = nil
		return d
	}
	two := func(d *ecs.RegisterTaskDefinitionInput) *ecs.RegisterTaskDefinitionInput {
		again := definition("", againScript).ContainerDefinitions[0]
		again.Name, again.Essential, again.Memory = aws.String("again"), aws.Bool(false), nil
		again.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60)}
		d.ContainerDefinitions = append(d.ContainerDefinitions, again)
		return small(d)
	}
	checked := two(definition(checkedFamily, aliveScript))
	checked.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD-SHELL", "test -e /www/index.html"}, Interval: aws.Int32(5)}
	return []*ecs.RegisterTaskDefinitionInput{two(definition(fargateFamily, idleScript)), checked, small(definition(endingFamily, endScript))}
}

// boxDefinition is of a task on EC2 that asks for a sandbox.
func boxDefinition() *ecs.RegisterTaskDefinitionInput {
	d := definition(boxFamily, boxScript)
	d.NetworkMode = types.NetworkModeAwsvpc
	d.ContainerDefinitions[0].DockerLabels = map[string]string{"berth.sandbox": "gvisor"}
	return d
}

// sandboxes says whether this machine has gVisor.
func (w *world) sandboxes() bool {
	_, err := os.Stat(filepath.Join(w.BinDir, "runsc"))
	return err == nil
}

// nodeSettings are what a life of the node has of its own: on what tasks on FARGATE begin from now on.
func (w *world) nodeSettings(r *rand.Rand) string {
	return "BERTH_FARGATE_RUNTIME=" + []string{"auto", "auto", "runc"}[r.IntN(3)]
}

// privately are the families that a service with interfaces rolls between.
func (w *world) privately() []string {
	if w.sandboxes() {
		return []string{vpcFamily, boxFamily}
	}
	return []string{vpcFamily}
}

// network is what tasks of a family are told of theirs.
func (w *world) network(family string) *types.NetworkConfiguration {
	if !private(family) {
		return nil
	}
	if family == behindFamily && w.balancing != nil {
		return &types.NetworkConfiguration{AwsvpcConfiguration: w.balancing.network}
	}
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{w.subnet}}}
}

func launchType(family string) types.LaunchType {
	if onFargate(family) {
		return types.LaunchTypeFargate
	}
	return ""
}

// makePublicWitness starts the witness on FARGATE, which answers on a public address.
func (w *world) makePublicWitness() {
	w.t.Helper()
	network, err := w.Private(w.t.Context(), "crash")
	if err != nil {
		w.t.Fatal(err)
	}
	network.AwsvpcConfiguration.AssignPublicIp = types.AssignPublicIpEnabled
	_, err = w.api.CreateService(w.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(publicWitness), TaskDefinition: aws.String(checkedFamily), DesiredCount: aws.Int32(1),
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.book.setService(publicWitness, spec{exists: true, definition: checkedFamily, desired: 1})
}

// publicAddress is that of a task's interface.
func (w *world) publicAddress(ctx context.Context, t types.Task) (string, error) {
	var found struct {
		Public []string `xml:"networkInterfaceSet>item>association>publicIp"`
	}
	eni := detail(t, "networkInterfaceId")
	err := w.AskEC2(ctx, &found, "DescribeNetworkInterfaces", "NetworkInterfaceId.1", eni)
	if err == nil && len(found.Public) != 1 {
		err = fmt.Errorf("interface %s has public addresses %v", eni, found.Public)
	}
	if err != nil {
		return "", err
	}
	return found.Public[0], nil
}

// containersOf are the containers of a task as the audit names them. The second one of two may be between two lives.
func containersOf(t types.Task) []inventory.Running {
	id, name := rounds.ShortID(aws.ToString(t.TaskArn)), rounds.Family(aws.ToString(t.TaskDefinitionArn))
	first := inventory.Running{TaskID: id, ID: id + "-0", Endpoint: id + "-0", Sandbox: name == boxFamily}
	switch {
	case name == hostFamily:
		first.Endpoint = ""
	case private(name):
		first.Endpoint = detail(t, "networkInterfaceId")
	}
	out := []inventory.Running{first}
	if len(t.Containers) > 1 {
		second := first
		second.ID = id + "-1"
		second.Ended = !slices.ContainsFunc(t.Containers, func(c types.Container) bool {
			return aws.ToString(c.Name) == "again" && aws.ToString(c.LastStatus) == "RUNNING"
		})
		out = append(out, second)
	}
	return out
}

// task is the id in a container's.
func task(container string) string {
	id, _, _ := strings.Cut(container, "-")
	return id
}
