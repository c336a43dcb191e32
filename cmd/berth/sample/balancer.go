package sample

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The load balancer of the sample.
const (
	Balancer = "berth-sample"
	outside  = "80" // the port that it listens on
)

// proxied is what a container instance says whose node takes load balancers.
const proxied = "attribute:berth.proxy exists"

// balance makes sure of a load balancer that leads to the service, where there is what it takes.
func (s *Sample) balance(ctx context.Context) error {
	if s.ELB == nil {
		fmt.Fprintln(s.Out, "          none: these machines have a network of their own")
		return nil
	}
	able, err := s.API.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{Cluster: aws.String(s.Cluster), Filter: aws.String(proxied)})
	if err != nil {
		return err
	}
	if len(able.ContainerInstanceArns) == 0 {
		fmt.Fprintln(s.Out, "          none: no node has Envoy (berth proxy install gets it)")
		return nil
	}
	in := s.network.AwsvpcConfiguration
	if err := s.open(ctx, in.SecurityGroups[0], outside); err != nil {
		return err
	}
	q := url.Values{"Name": {Balancer}, "SecurityGroups.member.1": in.SecurityGroups}
	for i, subnet := range in.Subnets {
		q.Set("Subnets.member."+strconv.Itoa(i+1), subnet)
	}
	var made struct {
		Balancer string `xml:"CreateLoadBalancerResult>LoadBalancers>member>LoadBalancerArn"`
		Group    string `xml:"CreateTargetGroupResult>TargetGroups>member>TargetGroupArn"`
	}
	if err := call(ctx, s.ELB, "CreateLoadBalancer", q, &made); err != nil {
		return err
	}
	// Those of the same name and settings that are there are answered.
	if err := call(ctx, s.ELB, "CreateTargetGroup", url.Values{
		"Name": {Balancer}, "Protocol": {"HTTP"}, "Port": {port}, "VpcId": {s.vpc}, "TargetType": {"ip"}, "HealthCheckPath": {"/health"},
		"HealthCheckIntervalSeconds": {"5"}, "HealthCheckTimeoutSeconds": {"2"}, "HealthyThresholdCount": {"2"},
	}, &made); err != nil {
		return err
	}
	s.balancer, s.targets = made.Balancer, made.Group
	err = call(ctx, s.ELB, "CreateListener", url.Values{
		"LoadBalancerArn": {made.Balancer}, "Protocol": {"HTTP"}, "Port": {outside},
		"DefaultActions.member.1.Type": {"forward"}, "DefaultActions.member.1.TargetGroupArn": {made.Group},
	}, nil)
	if err != nil && strings.Contains(err.Error(), "DuplicateListener") {
		err = nil
	}
	return err
}

// behind is the service's part of that.
func (s *Sample) behind() []types.LoadBalancer {
	if s.targets == "" {
		return nil
	}
	return []types.LoadBalancer{{TargetGroupArn: aws.String(s.targets), ContainerName: aws.String(container), ContainerPort: aws.Int32(8080)}}
}

// askOutside asks the load balancer from here until it answers as the service does.
func (s *Sample) askOutside(ctx context.Context) (url string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	for {
		said := ""
		if url, err = s.public(ctx); err == nil {
			said, err = s.Get(ctx, url)
		}
		if err == nil && strings.HasPrefix(said, "hello") {
			fmt.Fprintf(s.Out, "\n    %s answers\n    %s", url, said)
			return url, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the load balancer does not answer: %q, %w", said, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// public is the load balancer's URL: the name that AWS would have the world resolve is known to the region's resolvers alone.
func (s *Sample) public(ctx context.Context) (string, error) {
	_, path, _ := strings.Cut(s.balancer, ":loadbalancer/")
	var found struct {
		Addresses []string `xml:"networkInterfaceSet>item>association>publicIp"`
	}
	err := call(ctx, s.EC2, "DescribeNetworkInterfaces", url.Values{"Filter.1.Name": {"description"}, "Filter.1.Value.1": {"ELB " + path}}, &found)
	if err == nil && len(found.Addresses) == 0 {
		err = fmt.Errorf("%s has no address yet", s.balancer)
	}
	if err != nil {
		return "", err
	}
	return "http://" + found.Addresses[0] + "/", nil
}

// Fetch asks a URL once.
func Fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return string(text), err
}

// call calls an operation and reads its answer.
func call(ctx context.Context, with Calls, action string, q url.Values, into any) error {
	answer, err := with(ctx, action, q)
	if err == nil && into != nil {
		err = xml.Unmarshal(answer, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}
