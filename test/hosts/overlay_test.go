package hosts_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// Two tasks of a VPC on two machines reach each other by their own addresses, and go on when nobody is there to tell the nodes anything.
func TestVPCSpansHosts(t *testing.T) {
	w := hosts.New(t)
	server, a, b := w.Host(), w.Host(), w.Host()
	server.First()
	for _, h := range []*hosts.Host{a, b} {
		h.JoinNode(server, "--node-address="+h.Address.String(), "--image-pull-behavior=prefer-cached")
	}
	c := server.ECS()
	installation.Eventually(t, "the nodes to be connected", func(ctx context.Context) error { return connected(ctx, c, 2) })
	spec := peerProgram(t)
	for _, h := range []*hosts.Host{a, b} {
		if err := h.Import(t.Context(), peerImage, spec); err != nil {
			t.Fatal(err)
		}
	}
	tasks := spread(t, server, c)
	for i := range tasks {
		from, to := tasks[i], tasks[1-i]
		installation.Eventually(t, "one to reach the other", func(ctx context.Context) error { return answered(ctx, from, to) })
	}
	server.Cut()
	for i := range tasks {
		if err := answered(t.Context(), tasks[i], tasks[1-i]); err != nil {
			t.Errorf("without servers: %v", err)
		}
	}
	server.Mend()
}

// spread runs a service of two tasks with interfaces of their own, each on another node.
func spread(t *testing.T, server *hosts.Host, c *ecs.Client) []types.Task {
	t.Helper()
	_, err := c.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("span"), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(peerImage), Memory: aws.Int32(32), Command: []string{"tcp:80"},
			Environment: []types.KeyValuePair{{Name: aws.String("ANSWER"), Value: aws.String("span")}},
		}},
	})
	if err == nil {
		_, err = c.CreateService(t.Context(), &ecs.CreateServiceInput{
			ServiceName: aws.String("span"), TaskDefinition: aws.String("span"), DesiredCount: aws.Int32(2),
			PlacementConstraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}},
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: subnets(t, server)}},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	var tasks []types.Task
	installation.Eventually(t, "both to run", func(ctx context.Context) (err error) {
		tasks, err = running(ctx, c, "span", 2)
		return err
	})
	if aws.ToString(tasks[0].ContainerInstanceArn) == aws.ToString(tasks[1].ContainerInstanceArn) {
		t.Fatal("both are on one node")
	}
	return tasks
}

// answered asks a task from within the namespace of another.
func answered(ctx context.Context, from, to types.Task) error {
	pid, err := process(from)
	if err != nil {
		return err
	}
	address := aws.ToString(to.Containers[0].NetworkInterfaces[0].PrivateIpv4Address)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(ctx context.Context, network, at string) (conn net.Conn, err error) {
			err = spacetest.InPath(fmt.Sprintf("/proc/%d/ns/net", pid), func() (err error) {
				conn, err = (&net.Dialer{}).DialContext(ctx, network, at)
				return err
			})
			return conn, err
		},
	}}
	got, err := get(ctx, client, "http://"+address+":80")
	if err == nil && got != "span" {
		err = fmt.Errorf("%s answers %q", address, got)
	}
	return err
}

// subnets are the default ones.
func subnets(t *testing.T, server *hosts.Host) []string {
	t.Helper()
	var found struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
	}
	body := url.Values{"Action": {"DescribeSubnets"}, "Version": {"2016-11-15"}}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hosts.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	k := server.Keys()
	sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: k.AccessKey, Secret: k.SecretKey}, Scope: sigv4.Scope{Region: installation.Region, Service: "ec2"},
	}.Sign(r, []byte(body), time.Now())
	resp, err := server.HTTP().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil {
		err = xml.Unmarshal(answer, &found)
	}
	if err != nil || len(found.IDs) == 0 {
		t.Fatalf("subnets: %v: %s", err, answer)
	}
	return found.IDs
}
