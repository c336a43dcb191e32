package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/installation"
	"github.com/berth-ecs/berth/test/rounds"
)

const (
	front        = "front"    // the load balancer that nobody changes; its target group has the same name
	fleeting     = "fleeting" // one that comes and goes
	behind       = "behind"   // a service that nobody changes, behind front
	balanced     = "s6"       // one that is changed, behind front too
	behindFamily = "behind"   // tasks that answer at an interface of their own
)

// balancing is what there is of load balancing. There is none where the machine has no Envoy.
type balancing struct {
	c         *elbv2.Client
	group     string                        // ARN of front's target group
	subnets   []string                      // of load balancers, in two zones; there is a machine in the first
	network   *ecstypes.AwsVpcConfiguration // of what is behind front
	balancers map[string]types.LoadBalancer // by name; who asks holds the book's lock
	seen      map[string]place              // when nodes was asked last; the same
}

// once: the load decides what to do about a lost answer.
func once(o *elbv2.Options) { o.Retryer = aws.NopRetryer{} }

// makeBalancer makes the load balancer that nobody changes, and what it leads to.
func (w *world) makeBalancer(t *testing.T) {
	t.Helper()
	if !w.balances() {
		t.Log("this machine has no Envoy (make tools): no load balancers")
		return
	}
	network, err := w.Private(t.Context(), "balanced")
	if err != nil {
		t.Fatal(err)
	}
	subnets, vpc, err := w.twoSubnets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := &balancing{c: w.Balancers(), network: network.AwsvpcConfiguration, subnets: subnets, balancers: map[string]types.LoadBalancer{}}
	g, err := b.c.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String(front), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &vpc, TargetType: types.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.group = *g.TargetGroups[0].TargetGroupArn
	w.balancing = b
	made, err := b.c.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String(front), Subnets: b.subnets, SecurityGroups: b.network.SecurityGroups,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.balancers[front] = made.LoadBalancers[0]
	_, err = b.c.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: made.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &b.group}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.api.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String(behind), TaskDefinition: aws.String(behindFamily), DesiredCount: aws.Int32(1),
		LoadBalancers: w.targets(behind), NetworkConfiguration: w.network(behindFamily),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.book.setService(behind, spec{exists: true, definition: behindFamily, desired: 1})
}

// makeFixed makes a load balancer that answers by itself.
func (w *world) makeFixed(t *testing.T) {
	t.Helper()
	if !w.balances() {
		return
	}
	subnets, _, err := w.twoSubnets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := w.Balancers()
	made, err := c.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String(fleeting), Subnets: subnets})
	if err == nil {
		_, err = c.CreateListener(t.Context(), fixedListener(made.LoadBalancers[0].LoadBalancerArn))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func fixedListener(balancer *string) *elbv2.CreateListenerInput {
	return &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("200")}}},
	}
}

// balances says whether this machine has Envoy.
func (w *world) balances() bool {
	_, err := os.Stat(filepath.Join(w.BinDir, "envoy"))
	return err == nil
}

// awaitEnvoy waits until it runs.
func (w *world) awaitEnvoy() {
	w.t.Helper()
	if !w.balances() {
		return
	}
	installation.Eventually(w.t, "Envoy runs", func(ctx context.Context) error {
		v, err := w.inventory(ctx)
		if err == nil && countEnvoys(v) != 1 {
			err = fmt.Errorf("%d Envoys run", countEnvoys(v))
		}
		return err
	})
}

// twoSubnets are the default ones of two zones, and their VPC.
func (w *world) twoSubnets(ctx context.Context) (ids []string, vpc string, err error) {
	var found struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
		VPC []string `xml:"subnetSet>item>vpcId"`
	}
	err = w.AskEC2(ctx, &found, "DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true",
		"Filter.2.Name", "availability-zone", "Filter.2.Value.1", installation.Region+"a", "Filter.2.Value.2", installation.Region+"b")
	if err == nil && len(found.IDs) != 2 {
		err = fmt.Errorf("default subnets: %+v", found)
	}
	if err != nil {
		return nil, "", err
	}
	return found.IDs, found.VPC[0], nil
}

// behindDefinition is of what load balancers lead to.
func behindDefinition() *ecs.RegisterTaskDefinitionInput {
	d := definition(behindFamily, serveScript)
	d.NetworkMode = ecstypes.NetworkModeAwsvpc
	d.ContainerDefinitions[0].PortMappings = []ecstypes.PortMapping{{ContainerPort: aws.Int32(80)}}
	return d
}

// targets are the target groups of a service of the load.
func (w *world) targets(service string) []ecstypes.LoadBalancer {
	if w.balancing == nil || service != behind && service != balanced {
		return nil
	}
	return []ecstypes.LoadBalancer{{TargetGroupArn: &w.balancing.group, ContainerName: aws.String("main"), ContainerPort: aws.Int32(80)}}
}

// balancerStep makes the load balancer that comes and goes, or deletes it.
func (l *load) balancerStep(r *rand.Rand) {
	if rounds.Wait(l.ctx, rounds.Millis(r, 200, 1500)); l.w.balancing == nil || l.ctx.Err() != nil {
		return
	}
	b := l.w.balancing
	if was, there := l.w.balancerNow(fleeting); there {
		err := l.must("DeleteLoadBalancer", func(ctx context.Context) error {
			_, err := b.c.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: was.LoadBalancerArn}, once)
			return err
		})
		if err != nil {
			l.w.book.find("DeleteLoadBalancer: %v", err)
			return
		}
		l.w.setBalancer(fleeting, nil)
		return
	}
	var made *elbv2.CreateLoadBalancerOutput
	err := l.must("CreateLoadBalancer", func(ctx context.Context) (err error) {
		made, err = b.c.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
			Name: aws.String(fleeting), Scheme: types.LoadBalancerSchemeEnumInternal, Subnets: b.subnets, SecurityGroups: b.network.SecurityGroups,
		}, once)
		return err
	})
	if err != nil {
		l.w.book.find("CreateLoadBalancer: %v", err)
		return
	}
	l.w.setBalancer(fleeting, &made.LoadBalancers[0])
	err = l.must("CreateListener", func(ctx context.Context) error {
		_, err := b.c.CreateListener(ctx, fixedListener(made.LoadBalancers[0].LoadBalancerArn), once)
		if api := (smithy.APIError)(nil); errors.As(err, &api) && api.ErrorCode() == "DuplicateListener" {
			return nil // an earlier call made it, whose answer was lost
		}
		return err
	})
	if err != nil {
		l.w.book.find("CreateListener: %v", err)
	}
}

func (w *world) balancerNow(name string) (types.LoadBalancer, bool) {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	b, ok := w.balancing.balancers[name]
	return b, ok
}

func (w *world) setBalancer(name string, b *types.LoadBalancer) {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	if b == nil {
		delete(w.balancing.balancers, name)
		return
	}
	w.balancing.balancers[name] = *b
}

// endBalancers deletes them.
func (w *world) endBalancers(ctx context.Context) error {
	if w.balancing == nil {
		return nil
	}
	for _, name := range []string{front, fleeting} {
		b, there := w.balancerNow(name)
		if !there {
			continue
		}
		if _, err := w.balancing.c.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}); err != nil {
			return err
		}
		w.setBalancer(name, nil)
	}
	return nil
}
