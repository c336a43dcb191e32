package sample

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// elb makes what it is asked for, and a listener once.
func (r *region) elb(_ context.Context, action string, q url.Values) ([]byte, error) {
	r.calls = append(r.calls, action)
	switch action {
	case "CreateLoadBalancer":
		if q.Get("Subnets.member.1") != "subnet-1" || q.Get("SecurityGroups.member.1") != "sg-1" {
			return nil, errors.New("ValidationError")
		}
		return []byte("<R><CreateLoadBalancerResult><LoadBalancers><member><LoadBalancerArn>arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/app/berth-sample/1" +
			"</LoadBalancerArn></member></LoadBalancers></CreateLoadBalancerResult></R>"), nil
	case "CreateTargetGroup":
		return []byte("<R><CreateTargetGroupResult><TargetGroups><member><TargetGroupArn>arn:group</TargetGroupArn></member></TargetGroups></CreateTargetGroupResult></R>"), nil
	}
	if r.exists {
		return nil, errors.New("elasticloadbalancing answers 400: DuplicateListener")
	}
	return []byte("<R/>"), nil
}

// The service is behind a load balancer, which is asked until it answers as the service does. A service that is not is put behind it.
func TestRunBehindALoadBalancer(t *testing.T) {
	r, s, out := newRegion(t)
	r.able, s.ELB = true, r.elb
	answers := []string{"no healthy upstream", "hello from task 2"}
	s.Get = func(_ context.Context, url string) (string, error) {
		answer := answers[0]
		answers = slices.Delete(answers, 0, 1)
		return answer, nil
	}
	for _, want := range []string{"CreateService", "UpdateService"} { // the fake does not keep what a service is behind
		got, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got != "http://198.18.0.7/" || !strings.Contains(out.String(), "http://198.18.0.7/ answers\n    hello from task 2") || !strings.Contains(r.behind, "arn:group") {
			t.Errorf("URL %q behind %s; output\n%s", got, r.behind, out)
		}
		if !slices.Contains(r.calls, want) || slices.Contains(r.calls, "RunTask") {
			t.Errorf("calls: %s", r.calls)
		}
		r.calls, r.behind, answers = nil, "", []string{"hello from task 2"}
	}
}

// Without Envoy there is none, and it is as it was.
func TestRunWithoutAProxy(t *testing.T) {
	r, s, out := newRegion(t)
	s.ELB = r.elb
	s.Launch = types.LaunchTypeEc2
	got, err := s.Run(t.Context())
	if err != nil || got != "http://172.31.0.9:8080/" || !strings.Contains(out.String(), "none: no node has Envoy (berth proxy install gets it)") || slices.Contains(r.calls, "CreateLoadBalancer") {
		t.Errorf("%q, %v: %s\n%s", got, err, r.calls, out)
	}
}
