package hosts_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
)

const (
	nameHosts = 5
	webName   = "web.hosts.test."
)

// named is a region of five nodes: on each a task that watches the name that the tasks of a service have.
type named struct {
	t        *testing.T
	c        *ecs.Client
	server   *hosts.Host
	nodes    []*hosts.Host
	watchers []*watcher
}

// A task that ends leaves the answers of every node's resolver, and they go on while no server is there, also those of a node that starts anew.
func TestNamesFollowOnHosts(t *testing.T) {
	n := newNamed(t)
	rounds, _ := strconv.Atoi(os.Getenv("BERTH_TEST_NAMES"))
	var took []time.Duration
	for r := range max(rounds, 3) {
		took = append(took, n.dies(r%nameHosts))
	}
	slices.Sort(took)
	t.Logf("a container exits, until none of %d resolvers answers with it: %v (median), %v (slowest) of %d", nameHosts, took[len(took)/2].Round(time.Millisecond),
		took[len(took)-1].Round(time.Millisecond), len(took))
	n.alone()
}

func newNamed(t *testing.T) *named {
	t.Helper()
	w := hosts.New(t)
	n := &named{t: t, server: w.Host()}
	n.server.First()
	for range nameHosts {
		h := w.Host()
		h.JoinNode(n.server, "--node-address="+h.Address.String(), "--image-pull-behavior=prefer-cached")
		n.nodes = append(n.nodes, h)
	}
	n.c = n.server.ECS()
	installation.Eventually(t, "the nodes to be connected", func(ctx context.Context) error { return connected(ctx, n.c, nameHosts) })
	spec := peerProgram(t)
	for _, h := range n.nodes {
		if err := h.Import(t.Context(), peerImage, spec); err != nil {
			t.Fatal(err)
		}
	}
	n.service("watch")
	n.service("web", types.ServiceRegistry{RegistryArn: aws.String(n.registry())})
	n.watch()
	n.settled()
	return n
}

// registry makes the namespace and service of Cloud Map, and answers the service's ARN.
func (n *named) registry() string {
	n.t.Helper()
	k := n.server.Keys()
	m := installation.CloudMap{HTTP: n.server.HTTP(), Endpoint: hosts.Endpoint, AccessKey: k.AccessKey, SecretKey: k.SecretKey}
	vpc, err := n.vpc()
	if err != nil {
		n.t.Fatal(err)
	}
	var begun struct{ OperationID string }
	ask := func(operation string, in, into any) {
		n.t.Helper()
		if err := m.Ask(n.t.Context(), operation, in, into); err != nil {
			n.t.Fatal(err)
		}
	}
	ask("CreatePrivateDnsNamespace", map[string]string{"Name": "hosts.test", "Vpc": vpc}, &begun)
	var got struct {
		Operation struct {
			Status  string
			Targets map[string]string
		}
	}
	installation.Eventually(n.t, "the namespace", func(ctx context.Context) error {
		err := m.Ask(ctx, "GetOperation", map[string]string{"OperationId": begun.OperationID}, &got)
		if err == nil && got.Operation.Status != "SUCCESS" {
			err = errors.New(got.Operation.Status)
		}
		return err
	})
	var made struct{ Service struct{ Arn string } }
	ask("CreateService", map[string]any{"Name": "web", "NamespaceId": got.Operation.Targets["NAMESPACE"],
		"DnsConfig": map[string]any{"DnsRecords": []any{map[string]any{"Type": "A", "TTL": 1}}}}, &made)
	return made.Service.Arn
}

// vpc is the default one.
func (n *named) vpc() (string, error) {
	k := n.server.Keys()
	var found struct {
		IDs []string `xml:"subnetSet>item>vpcId"`
	}
	err := installation.EC2{HTTP: n.server.HTTP(), Endpoint: hosts.Endpoint, AccessKey: k.AccessKey, SecretKey: k.SecretKey}.Ask(n.t.Context(), &found, "DescribeSubnets")
	if err == nil && len(found.IDs) == 0 {
		err = errors.New("there are no subnets")
	}
	if err != nil {
		return "", err
	}
	return found.IDs[0], nil
}

// service is one of a task on each node, and runs when this returns.
func (n *named) service(name string, registries ...types.ServiceRegistry) {
	n.t.Helper()
	_, err := n.c.RegisterTaskDefinition(n.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(name), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("main"), Image: aws.String(peerImage), Memory: aws.Int32(32), Command: []string{"tcp:80"}}},
	})
	if err == nil {
		_, err = n.c.CreateService(n.t.Context(), &ecs.CreateServiceInput{
			ServiceName: aws.String(name), TaskDefinition: aws.String(name), DesiredCount: aws.Int32(nameHosts), ServiceRegistries: registries,
			PlacementConstraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}},
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: subnets(n.t, n.server)}},
		})
	}
	if err != nil {
		n.t.Fatal(err)
	}
	installation.Eventually(n.t, name+" to run", func(ctx context.Context) error { _, err := running(ctx, n.c, name, nameHosts); return err })
}

// watcher asks a node's resolver from inside one of its tasks.
type watcher struct{ conn *dns.Conn }

func (n *named) watch() {
	n.t.Helper()
	tasks, err := running(n.t.Context(), n.c, "watch", nameHosts)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, task := range tasks {
		pid, err := process(task)
		if err != nil {
			n.t.Fatal(err)
		}
		w := &watcher{conn: &dns.Conn{}}
		err = spacetest.InPath(fmt.Sprintf("/proc/%d/ns/net", pid), func() (err error) {
			w.conn.Conn, err = net.Dial("udp", "169.254.169.253:53")
			return err
		})
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { _ = w.conn.Close() })
		n.watchers = append(n.watchers, w)
	}
}

// answer is the addresses of the name.
func (w *watcher) answer() (out []string, err error) {
	m := new(dns.Msg)
	m.SetQuestion(webName, dns.TypeA)
	reply, _, err := (&dns.Client{Timeout: 5 * time.Second}).ExchangeWithConn(m, w.conn)
	if err != nil {
		return nil, err
	}
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			out = append(out, a.A.String())
		}
	}
	return out, nil
}

// settled waits until every task of the service runs and every resolver answers with all of them, and answers the tasks.
func (n *named) settled() (tasks []types.Task) {
	n.t.Helper()
	installation.Eventually(n.t, "every resolver to answer with every task", func(ctx context.Context) (err error) {
		if tasks, err = running(ctx, n.c, "web", nameHosts); err != nil {
			return err
		}
		return n.complete(tasks)
	})
	return tasks
}

func (n *named) complete(tasks []types.Task) error {
	for i, w := range n.watchers {
		got, err := w.answer()
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if !slices.Contains(got, addressOf(task)) || len(got) != len(tasks) {
				return fmt.Errorf("resolver %d answers %v without %s", i, got, addressOf(task))
			}
		}
	}
	return nil
}

func addressOf(task types.Task) string {
	return aws.ToString(task.Containers[0].NetworkInterfaces[0].PrivateIpv4Address)
}

// dies kills the container of one task and answers when the last resolver stopped answering with it.
func (n *named) dies(which int) time.Duration {
	n.t.Helper()
	victim := n.settled()[which]
	pid, err := process(victim)
	if err != nil {
		n.t.Fatal(err)
	}
	gone := make([]time.Duration, len(n.watchers))
	begun := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		n.t.Fatal(err)
	}
	var g errgroup.Group
	for i, w := range n.watchers {
		g.Go(func() error {
			for {
				got, err := w.answer()
				if err != nil {
					return err
				}
				if gone[i] = time.Since(begun); !slices.Contains(got, addressOf(victim)) {
					return nil
				}
				if gone[i] > time.Minute {
					return fmt.Errorf("resolver %d still answers %v", i, got)
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		n.t.Fatal(err)
	}
	return slices.Max(gone)
}

// alone cuts the server off: every resolver goes on, one after its node's process was killed and began anew.
func (n *named) alone() {
	n.t.Helper()
	tasks := n.settled()
	n.server.Cut()
	if err := n.complete(tasks); err != nil {
		n.t.Errorf("without servers: %v", err)
	}
	n.nodes[0].Kill(hosts.Node)
	n.nodes[0].Again(hosts.Node)
	installation.Eventually(n.t, "all resolvers, one of a node that began anew without servers", func(context.Context) error { return n.complete(tasks) })
	n.server.Mend()
}
