package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

const image = "test.local/chaos:1"

// witness is a service of one task on each node, which nobody changes.
const witness = "witness"

const machines = 3 // servers, and as many nodes

// world is a region of several machines, and what was asked of it.
type world struct {
	*hosts.World
	t         *testing.T
	servers   []*hosts.Host
	nodes     []*hosts.Host
	ecs       []*ecs.Client // one for each server; they ask again
	api       []*ecs.Client // the same, which ask once
	book      *book
	subnet    string
	vpc       string
	at        map[string]*hosts.Host // the machine of each container instance
	pairs     []pair                 // of witnesses
	witnesses map[string]bool        // ids of their tasks
	trouble   atomic.Int64           // odd while something is the matter with a machine
}

// begin makes the machines, the region and its witnesses.
func begin(t *testing.T) *world {
	t.Helper()
	w := &world{World: hosts.New(t), t: t, book: newBook(), at: map[string]*hosts.Host{}}
	w.keepLogs()
	for range machines {
		w.servers = append(w.servers, w.Host())
	}
	w.servers[small].Disk(smallDisk)
	w.servers[0].First()
	for i, h := range w.servers[1:] {
		h.JoinServer(w.servers[i])
	}
	for i := range machines {
		h := w.Host()
		// The audit knows sandboxes by their tasks; there are none here.
		h.JoinNode(w.servers[i], "--node-address="+h.Address.String(), "--image-pull-behavior=prefer-cached", "--fargate-runtime=runc", "--sandboxes-ahead=0")
		w.nodes = append(w.nodes, h)
	}
	for _, h := range w.servers {
		w.ecs = append(w.ecs, h.ECS())
		w.api = append(w.api, h.ECS(func(o *ecs.Options) { o.Retryer = aws.NopRetryer{} }))
	}
	w.ready()
	w.provide()
	w.makeWitness()
	return w
}

// ready waits until every server is and every node is connected.
func (w *world) ready() {
	w.t.Helper()
	for _, h := range w.servers {
		h.AwaitReady()
	}
	installation.Eventually(w.t, "the nodes to be connected", func(ctx context.Context) error {
		for i, c := range w.ecs {
			out, err := c.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Filter: aws.String("agentConnected == true")})
			if err != nil {
				return err
			}
			if n := len(out.ContainerInstanceArns); n != machines {
				return fmt.Errorf("server %d: %d nodes are connected", i, n)
			}
		}
		return nil
	})
}

// provide makes the image, the definitions and the network known.
func (w *world) provide() {
	w.t.Helper()
	ctx := w.t.Context()
	spec, err := images.Busybox(v1.Config{})
	for _, h := range w.nodes {
		err = errors.Join(err, h.Import(ctx, image, spec))
	}
	for _, d := range definitions() {
		_, rerr := w.ecs[0].RegisterTaskDefinition(ctx, d)
		err = errors.Join(err, rerr)
	}
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	err = errors.Join(err, w.servers[0].AskEC2(ctx, &found, "DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true",
		"Filter.2.Name", "availability-zone", "Filter.2.Value.1", installation.Region+"a"))
	if err != nil || len(found.Subnets) != 1 {
		w.t.Fatal(err, found)
	}
	w.subnet, w.vpc = found.Subnets[0].ID, found.Subnets[0].VPC
	w.instances()
}

// instances remembers which machine each container instance is on: it says the address that other nodes reach it at.
func (w *world) instances() {
	w.t.Helper()
	all, err := w.describeInstances(w.t.Context(), w.ecs[0])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, i := range all {
		for _, a := range i.Attributes {
			for _, h := range w.nodes {
				if aws.ToString(a.Name) == "berth.node-address" && aws.ToString(a.Value) == h.Address.String() {
					w.at[aws.ToString(i.ContainerInstanceArn)] = h
				}
			}
		}
	}
	if len(w.at) != machines {
		w.t.Fatalf("the machines of %d container instances are known", len(w.at))
	}
}

func (w *world) describeInstances(ctx context.Context, c *ecs.Client) ([]types.ContainerInstance, error) {
	list, err := c.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})
	if err != nil {
		return nil, err
	}
	out, err := c.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err == nil && len(out.ContainerInstances) != machines {
		err = fmt.Errorf("%wthere are %d container instances", errFinal, len(out.ContainerInstances))
	}
	if err != nil {
		return nil, err
	}
	return out.ContainerInstances, nil
}

// Families of the task definitions.
const (
	webFamily  = "web"  // on the bridge, a port of the node's choice, a health check
	vpcFamily  = "vpc"  // an interface of its own
	exitFamily = "exit" // ends by itself
)

const (
	serveScript = `trap 'exit 0' TERM; mkdir /www; echo alive > /www/index.html; httpd -f -p 80 -h /www & wait`
	exitScript  = `usleep $WAIT; exit $CODE`
)

func definition(family, script string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: types.NetworkModeBridge,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(image), Memory: aws.Int32(16), Cpu: 4, StopTimeout: aws.Int32(2),
			EntryPoint: []string{"sh", "-c"}, Command: []string{script},
		}},
	}
}

func definitions() []*ecs.RegisterTaskDefinitionInput {
	web, private := definition(webFamily, serveScript), definition(vpcFamily, serveScript)
	web.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	web.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{
		Command: []string{"CMD-SHELL", "test -e /www/index.html"}, Interval: aws.Int32(5), Retries: aws.Int32(10), // a machine that is busy has time
	}
	private.NetworkMode = types.NetworkModeAwsvpc
	return []*ecs.RegisterTaskDefinitionInput{web, private, definition(exitFamily, exitScript)}
}

// network is what tasks of a family are told of theirs.
func (w *world) network(family string) *types.NetworkConfiguration {
	if family != vpcFamily {
		return nil
	}
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{w.subnet}}}
}

func (w *world) makeWitness() {
	w.t.Helper()
	_, err := w.ecs[0].CreateService(w.t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(witness), TaskDefinition: aws.String(vpcFamily), DesiredCount: aws.Int32(machines), NetworkConfiguration: w.network(vpcFamily),
		PlacementConstraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.book.setService(witness, spec{exists: true, definition: vpcFamily, desired: machines})
	w.converge("the witnesses", 0)
	w.pairUp()
}

// keepLogs copies what every machine wrote to BERTH_TEST_KEEP when the test failed.
func (w *world) keepLogs() {
	w.t.Cleanup(func() {
		dir := os.Getenv("BERTH_TEST_KEEP")
		if dir == "" || !w.t.Failed() {
			return
		}
		for _, h := range slices.Concat(w.servers, w.nodes) {
			for name, text := range map[string]string{"server": h.Log(hosts.Server), "node": h.Log(hosts.Node)} {
				if text != "" {
					_ = os.WriteFile(filepath.Join(dir, h.Name+"-"+name+".log"), []byte(text), 0o600) // the test failed already
				}
			}
			for _, name := range []string{"containerd.log", "hold.log"} {
				if text, err := os.ReadFile(filepath.Join(h.DataDir(), name)); err == nil {
					_ = os.WriteFile(filepath.Join(dir, h.Name+"-"+name), text, 0o600) // as above
				}
			}
		}
	})
}
