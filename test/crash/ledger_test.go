package crash

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/test/rounds"
)

// booked: what the node registered, less what is left, is what the live tasks and the nodes of load balancers hold.
func (w *world) booked(ctx context.Context, live []types.Task, nodes int) error {
	list, err := w.ECS.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})
	if err != nil {
		return err
	}
	if len(list.ContainerInstanceArns) != 1 {
		return fmt.Errorf("%wthere are %d container instances", errFinal, len(list.ContainerInstanceArns))
	}
	out, err := w.ECS.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		return err
	}
	instance := out.ContainerInstances[0]
	cpu, memory := int32(nodes*nodeUnits), int32(nodes*nodeMiB)
	var ports []string
	shown := 0            // where the instance is described: what runs on FARGATE has none
	fargate := [3]int32{} // tasks there, by their containers
	for _, t := range live {
		if t.ContainerInstanceArn != nil {
			shown++
		}
		if t.LaunchType == types.LaunchTypeFargate {
			cpu, memory = cpu+number(t.Cpu), memory+number(t.Memory)
			fargate[len(t.Containers)]++
			continue
		}
		for _, c := range t.Containers {
			cpu, memory = cpu+number(c.Cpu), memory+number(c.Memory)
		}
		if rounds.Family(aws.ToString(t.TaskDefinitionArn)) == staticFamily {
			ports = append(ports, strconv.Itoa(int(aws.ToInt32(t.Containers[0].NetworkBindings[0].HostPort))))
		}
	}
	held := map[string]int32{}
	var taken []string
	for i, r := range instance.RegisteredResources {
		left := instance.RemainingResources[i]
		held[aws.ToString(r.Name)] = r.IntegerValue - left.IntegerValue
		if aws.ToString(r.Name) == "PORTS" {
			taken = slices.DeleteFunc(slices.Clone(left.StringSetValue), func(p string) bool { return slices.Contains(r.StringSetValue, p) })
		}
	}
	switch {
	case held["EPHEMERAL_STORAGE"] != storageGiB*(fargate[1]+fargate[2]):
		return fmt.Errorf("the ledger holds %d GiB of storage; %v tasks on FARGATE have %d each", held["EPHEMERAL_STORAGE"], fargate, storageGiB)
	case held["CPU"] != cpu || !besides(held["MEMORY"]-memory, fargate):
		return fmt.Errorf("the ledger holds CPU %d and memory %d; live tasks have %d and %d", held["CPU"], held["MEMORY"], cpu, memory)
	case !slices.Equal(taken, ports):
		return fmt.Errorf("the ledger holds ports %v, live tasks have %v", taken, ports)
	case int(instance.RunningTasksCount) != shown || instance.PendingTasksCount != 0:
		return fmt.Errorf("the instance counts %d running and %d pending tasks; there are %d", instance.RunningTasksCount, instance.PendingTasksCount, shown)
	case !instance.AgentConnected:
		return fmt.Errorf("the agent of %s is not connected", aws.ToString(instance.ContainerInstanceArn))
	}
	return nil
}

// What a task on FARGATE holds that says nothing of it, and the memory beside its own that one in a sandbox does.
const (
	storageGiB           = 20
	besideOne, besideTwo = 40, 48 // of one container, of two
)

// What a node of a load balancer holds.
const nodeUnits, nodeMiB = 16, 16

// besides: the memory held beside is that of some of the tasks. Which of them began in a sandbox the node's setting of that moment said.
func besides(mib int32, fargate [3]int32) bool {
	for one := range fargate[1] + 1 {
		rest := mib - one*besideOne
		if rest >= 0 && rest%besideTwo == 0 && rest/besideTwo <= fargate[2] {
			return true
		}
	}
	return false
}

func number(s *string) int32 {
	n, _ := strconv.ParseInt(aws.ToString(s), 10, 32) // the API's own number
	return int32(n)
}
