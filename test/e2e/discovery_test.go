package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	cloudmap "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

// inVPC gives a service's tasks interfaces that take TCP on port 80.
func inVPC(t testing.TB, d *directory, rest ...func(*ecs.CreateServiceInput)) func(*ecs.CreateServiceInput) {
	s, _ := subnet(t)
	allowed := group(t, "web", 80)
	return func(in *ecs.CreateServiceInput) {
		in.ServiceRegistries = d.registered
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{s}, SecurityGroups: []string{allowed}}}
		for _, f := range rest {
			f(in)
		}
	}
}

// While a deployment goes on, whatever is found answers: what does not is not found any more when it is asked for again. The minimum is always found.
func TestARolloutIsFoundThroughout(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, cloudmap.RecordTypeA)
	client := runningVPC(t, define(t, script("client", idle)), group(t, "client", 0))
	name := serve(t, private(define(t, versioned("one"))), 2, inVPC(t, d))
	for taskID, a := range d.awaitFound(name, 2) {
		for k, want := range map[string]string{
			"ECS_SERVICE_NAME": name, "ECS_CLUSTER_NAME": "default", "ECS_TASK_DEFINITION_FAMILY": family(t), "AVAILABILITY_ZONE": "us-east-1a", "REGION": "us-east-1",
		} {
			equal(t, k+" of "+taskID, a[k], want)
		}
		if !strings.HasPrefix(a["EC2_INSTANCE_ID"], "i-") || a["AWS_INSTANCE_PORT"] != "" {
			t.Errorf("attributes %v", a)
		}
	}
	second := register(t, private(define(t, versioned("two"))))
	update(t, &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &second})
	seen := map[string]bool{}
	for rolled := false; !rolled; {
		found, err := d.found(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(found) < 2 {
			t.Errorf("only %d are found", len(found))
		}
		for taskID, a := range found {
			answer, err := client.fetchFrom("http://" + a["AWS_INSTANCE_IPV4"])
			if err != nil {
				if now, err2 := d.found(t.Context()); err2 != nil || now[taskID] != nil {
					t.Fatalf("%s is found and does not answer: %v, %v", taskID, err, err2)
				}
			}
			seen[answer] = true
		}
		s, err := service(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		rolled = stable(s) && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted && aws.ToString(s.TaskDefinition) == second
	}
	if d.awaitFound(name, 2); !seen["one"] || !seen["two"] {
		t.Errorf("answers %v", seen)
	}
	_, err := d.client.DeleteService(t.Context(), &servicediscovery.DeleteServiceInput{Id: &d.service})
	if _, used := errors.AsType[*cloudmap.ResourceInUse](err); !used {
		t.Errorf("a service with instances is deleted: %v", err)
	}
}

// Tasks without an interface are found at their machine's address and port. They move to another registry, and to none, with a deployment.
func TestMachinesPortsAreFound(t *testing.T) {
	t.Parallel()
	for _, mode := range []types.NetworkMode{types.NetworkModeBridge, types.NetworkModeHost} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t, cloudmap.RecordTypeSrv)
			d.registered[0].ContainerName, d.registered[0].ContainerPort = aws.String("web"), aws.Int32(8099)
			c := define(t, peer("web", "tcp:8099"))
			c.NetworkMode = mode
			if mode == types.NetworkModeHost {
				c.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(8099)
			}
			name := serve(t, c, 1, func(in *ecs.CreateServiceInput) {
				in.ServiceRegistries, in.DeploymentConfiguration = d.registered, percents(0, 100)
			})
			var first string
			for taskID, a := range d.awaitFound(name, 1) {
				answers(t, fmt.Sprintf("http://%s:%s", a["AWS_INSTANCE_IPV4"], a["AWS_INSTANCE_PORT"]), "web")
				if fixed := a["AWS_INSTANCE_PORT"] == "8099"; fixed != (mode == types.NetworkModeHost) {
					t.Errorf("attributes %v", a)
				}
				first = taskID
			}
			update(t, &ecs.UpdateServiceInput{Service: &name, ServiceRegistries: []types.ServiceRegistry{}})
			steady(t, name)
			for _, task := range mustTasksOf(t, name) {
				if id(*task.TaskArn) == first {
					t.Error("the deployment did not replace the task")
				}
			}
			if found, err := d.found(t.Context()); err != nil || len(found) != 0 {
				t.Errorf("still found: %v %v", found, err)
			}
			update(t, &ecs.UpdateServiceInput{Service: &name, ServiceRegistries: d.registered})
			d.awaitFound(name, 1)
			update(t, &ecs.UpdateServiceInput{Service: &name, DesiredCount: aws.Int32(0)})
			d.awaitFound(name, 0)
		})
	}
}

// A task whose container ends, or that somebody stops, is not found any more; what replaces it is. Nothing of a deployment that fails stays found.
func TestWhatEndsIsNotFound(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, cloudmap.RecordTypeA)
	client := runningVPC(t, define(t, script("client", idle)), group(t, "client", 0))
	name := serve(t, private(define(t, peer("web", "tcp:80"))), 2, inVPC(t, d, func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = percents(100, 200)
		in.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	}))
	await(t, name, "deployed", func(s types.Service) bool {
		return stable(s) && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	before := d.awaitFound(name, 2)
	for taskID, a := range before {
		client.awaits(t, "http://"+a["AWS_INSTANCE_IPV4"], "web")
		_, _ = client.fetchFrom("http://" + a["AWS_INSTANCE_IPV4"] + "/exit") // it does not live to answer
		region.AwaitTask(t, taskID, "STOPPED")
	}
	after := d.awaitFound(name, 2)
	for taskID := range after {
		if before[taskID] != nil {
			t.Errorf("%s is found again", taskID)
		}
		if _, err := region.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Task: aws.String(taskID)}); err != nil {
			t.Fatal(err)
		}
		if found, err := d.found(t.Context()); err != nil || found[taskID] != nil {
			t.Errorf("stopped and found: %v", err)
		}
	}
	kept := d.awaitFound(name, 2)
	broken := register(t, private(define(t, script("web", "exit 1"))))
	update(t, &ecs.UpdateServiceInput{Service: &name, TaskDefinition: &broken})
	await(t, name, "rolled back", func(s types.Service) bool {
		if found, err := d.found(t.Context()); err != nil || len(found) < 2 {
			t.Errorf("found %v %v", found, err)
		}
		return stable(s) && aws.ToString(s.TaskDefinition) != broken && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
	})
	for taskID := range d.awaitFound(name, 2) {
		if kept[taskID] == nil {
			t.Errorf("%s took the place of one that was well", taskID)
		}
	}
}

func TestFargateTasksAreFound(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, cloudmap.RecordTypeSrv)
	d.registered[0].Port = aws.Int32(80)
	client := runningVPC(t, define(t, script("client", idle)), group(t, "client", 0))
	name := serve(t, onFargate(define(t, peer("web", "tcp:80"))), 1, inVPC(t, d, func(in *ecs.CreateServiceInput) { in.LaunchType = types.LaunchTypeFargate }))
	for _, a := range d.awaitFound(name, 1) {
		client.awaits(t, "http://"+a["AWS_INSTANCE_IPV4"]+":"+a["AWS_INSTANCE_PORT"], "web")
		if a["EC2_INSTANCE_ID"] != "" {
			t.Errorf("attributes %v", a)
		}
	}
}
