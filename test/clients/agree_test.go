package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berth-ecs/berth/test/installation"
)

// agreed is a load balancer whose API and whose answers are held against each other.
type agreed struct {
	*testing.T
	*elbv2.Client
	vpc, group                string // security group
	subnets                   []string
	lb                        types.LoadBalancer
	public                    string // its address
	listener                  string
	rules                     []string
	blue, green               string // target groups
	blueAddress, greenAddress string
	groups                    map[string]string // what their targets say
}

// The rules and targets that the API describes are those by which packets go: what each request is to get is worked out of what DescribeRules and
// DescribeTargetHealth answer, for every kind of condition and action, and after each change.
func TestRulesAndTargetsAreWhatTrafficDoes(t *testing.T) {
	t.Parallel()
	a := &agreed{T: t, Client: region.Balancers(), groups: map[string]string{}}
	a.premises()
	a.balance()
	a.blue, a.blueAddress = a.target("blue")
	a.green, a.greenAddress = a.target("green")
	a.makeRules()
	if hit := a.agree("at first"); len(hit) != len(a.rules) { // all but one that nobody can, and the default one
		t.Errorf("rules %v are hit of %d and the default one", hit, len(a.rules))
	}
	a.reweigh()
	a.agree("when weights changed")
	a.reorder()
	a.agree("when priorities changed")
	a.deregister()
	a.agree("when a target left")
	a.byCLI()
	a.end()
}

// premises are the default subnets and a group that lets everything in.
func (a *agreed) premises() {
	ctx, network := a.Context(), region.EC2()
	for _, s := range must[ec2.DescribeSubnetsOutput](a.T)(network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{filtered("default-for-az", "true")}})).Subnets {
		a.subnets, a.vpc = append(a.subnets, *s.SubnetId), *s.VpcId
	}
	a.group = *must[ec2.CreateSecurityGroupOutput](a.T)(network.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("agreed"), Description: aws.String("everything"), VpcId: &a.vpc,
	})).GroupId
	must[ec2.AuthorizeSecurityGroupIngressOutput](a.T)(network.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: &a.group, IpProtocol: aws.String("tcp"), FromPort: aws.Int32(1), ToPort: aws.Int32(65535), CidrIp: aws.String("0.0.0.0/0"),
	}))
}

// balance makes the load balancer as Terraform does: it is waited for before it has a listener.
func (a *agreed) balance() {
	ctx := a.Context()
	a.lb = must[elbv2.CreateLoadBalancerOutput](a.T)(a.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("agreed"), Subnets: a.subnets, SecurityGroups: []string{a.group},
	})).LoadBalancers[0]
	available := elbv2.NewLoadBalancerAvailableWaiter(a.Client, func(o *elbv2.LoadBalancerAvailableWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := available.Wait(ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*a.lb.LoadBalancerArn}}, installation.Patience); err != nil {
		a.Fatal(err)
	}
	a.listener = *must[elbv2.CreateListenerOutput](a.T)(a.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: a.lb.LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp, DefaultActions: []types.Action{fixed("404", "nobody")},
	})).Listeners[0].ListenerArn
	path := (*a.lb.LoadBalancerArn)[len("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/"):]
	in := must[ec2.DescribeNetworkInterfacesOutput](a.T)(region.EC2().DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{filtered("description", "ELB "+path)},
	})).NetworkInterfaces
	if len(in) == 0 || in[0].Association == nil {
		a.Fatalf("interfaces %+v", in)
	}
	a.public = *in[0].Association.PublicIp
}

// says answers every request with the word W.
const says = `echo 'while read -r l; do [ ${#l} -le 1 ] && break; done
printf "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" ${#W} $W' > /say
exec nc -ll -p 8080 -e /bin/sh /say`

// target is a target group, and the task that is registered in it.
func (a *agreed) target(name string) (group, address string) {
	ctx := a.Context()
	revision := must[ecs.RegisterTaskDefinitionOutput](a.T)(region.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("agreed-" + name), NetworkMode: ecstypes.NetworkModeAwsvpc,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("main"), Image: aws.String(busyboxImage), Memory: aws.Int32(32), Command: []string{"/bin/sh", "-c", "export W=" + name + "\n" + says},
		}},
	})).TaskDefinition.TaskDefinitionArn
	out := must[ecs.RunTaskOutput](a.T)(region.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: revision, NetworkConfiguration: &ecstypes.NetworkConfiguration{
		AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: a.subnets, SecurityGroups: []string{a.group}}}}))
	if len(out.Tasks) != 1 {
		a.Fatalf("failures %+v", out.Failures)
	}
	for _, d := range out.Tasks[0].Attachments[0].Details {
		if *d.Name == "privateIPv4Address" {
			address = *d.Value
		}
	}
	a.Cleanup(func() {
		_, _ = region.ECS.StopTask(context.WithoutCancel(ctx), &ecs.StopTaskInput{Task: out.Tasks[0].TaskArn}) // the region goes with it
	})
	group = *must[elbv2.CreateTargetGroupOutput](a.T)(a.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("agreed-" + name), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &a.vpc, TargetType: types.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})).TargetGroups[0].TargetGroupArn
	a.groups[group] = name
	must[elbv2.RegisterTargetsOutput](a.T)(a.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: targets(address)}))
	return group, address
}

func targets(address string) []types.TargetDescription {
	return []types.TargetDescription{{Id: aws.String(address), Port: aws.Int32(8080)}}
}

func (a *agreed) makeRules() {
	for n, r := range a.wanted() {
		out := must[elbv2.CreateRuleOutput](a.T)(a.CreateRule(a.Context(), &elbv2.CreateRuleInput{
			ListenerArn: &a.listener, Priority: aws.Int32(int32(n+1) * 10), Conditions: r.Conditions, Actions: r.Actions,
		}))
		a.rules = append(a.rules, *out.Rules[0].RuleArn)
	}
	for group, address := range map[string]string{a.blue: a.blueAddress, a.green: a.greenAddress} {
		healthy := elbv2.NewTargetInServiceWaiter(a.Client, func(o *elbv2.TargetInServiceWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
		err := healthy.Wait(a.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: targets(address)}, installation.Patience)
		if err != nil {
			out, _ := a.DescribeTargetHealth(a.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
			for _, t := range out.TargetHealthDescriptions {
				a.Errorf("%s is %s: %s, %s", *t.Target.Id, t.TargetHealth.State, t.TargetHealth.Reason, aws.ToString(t.TargetHealth.Description))
			}
			a.Fatal(err)
		}
	}
}

// reweigh turns the weights of a rule around.
func (a *agreed) reweigh() {
	must[elbv2.ModifyRuleOutput](a.T)(a.ModifyRule(a.Context(), &elbv2.ModifyRuleInput{RuleArn: &a.rules[0], Actions: []types.Action{a.weighted(0, 1)}}))
}

// reorder has the first two rules in the other order, and a third before both.
func (a *agreed) reorder() {
	must[elbv2.SetRulePrioritiesOutput](a.T)(a.SetRulePriorities(a.Context(), &elbv2.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{
		{RuleArn: &a.rules[0], Priority: aws.Int32(20)}, {RuleArn: &a.rules[1], Priority: aws.Int32(10)}, {RuleArn: &a.rules[3], Priority: aws.Int32(1)},
	}}))
}

// deregister takes the only target of a group away.
func (a *agreed) deregister() {
	ctx := a.Context()
	must[elbv2.DeregisterTargetsOutput](a.T)(a.DeregisterTargets(ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: &a.green, Targets: targets(a.greenAddress)}))
	gone := elbv2.NewTargetDeregisteredWaiter(a.Client, func(o *elbv2.TargetDeregisteredWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := gone.Wait(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &a.green, Targets: targets(a.greenAddress)}, installation.Patience); err != nil {
		a.Fatal(err)
	}
}

// byCLI: another client reads the same, and its waiters end.
func (a *agreed) byCLI() {
	said := shell(a.T, `
aws elbv2 wait load-balancer-available --names agreed
aws elbv2 wait target-in-service --target-group-arn `+a.blue+`
aws elbv2 describe-rules --listener-arn `+a.listener+" --query 'Rules[].Priority' --output text")
	if want := "1\t10\t20\t30\t50\t60\t70\t80\t90\t100\tdefault"; said != want {
		a.Errorf("aws says %q, want %q", said, want)
	}
}

// end deletes everything; nothing answers at the address any more.
func (a *agreed) end() {
	ctx := a.Context()
	must[elbv2.DeleteLoadBalancerOutput](a.T)(a.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: a.lb.LoadBalancerArn}))
	which := &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*a.lb.LoadBalancerArn}}
	gone := elbv2.NewLoadBalancersDeletedWaiter(a.Client, func(o *elbv2.LoadBalancersDeletedWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	if err := gone.Wait(ctx, which, installation.Patience); err != nil {
		a.Error(err)
	}
	for group := range a.groups {
		must[elbv2.DeleteTargetGroupOutput](a.T)(a.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: &group}))
	}
	installation.Eventually(a.T, "nothing answers any more", func(ctx context.Context) error {
		if _, err := a.send(ctx, asked{path: "/"}); err == nil {
			return errors.New("it answers")
		}
		return nil
	})
}

// agree asks everything until what is answered is what the API says, and answers the priorities of the rules that were hit.
func (a *agreed) agree(when string) (hit []string) {
	a.Helper()
	installation.Eventually(a.T, "traffic goes as the API says "+when, func(ctx context.Context) error {
		rules, err := a.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: &a.listener})
		if err != nil {
			return err
		}
		healthy, err := a.healthy(ctx)
		if err != nil {
			return err
		}
		hit = nil
		for _, q := range requests {
			got, err := a.send(ctx, q)
			if err != nil {
				return err
			}
			rule := q.rule(rules.Rules)
			if want := q.answers(rule.Actions[0], healthy); !slices.Contains(want, got) {
				return fmt.Errorf("%+v is answered %q; rule %s says %q", q, got, *rule.Priority, want)
			}
			if !slices.Contains(hit, *rule.Priority) {
				hit = append(hit, *rule.Priority)
			}
		}
		return nil
	})
	return hit
}

// healthy are the words of the groups that have a target in service.
func (a *agreed) healthy(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for group, word := range a.groups {
		all, err := a.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		if err != nil {
			return nil, err
		}
		for _, t := range all.TargetHealthDescriptions {
			if t.TargetHealth.State == types.TargetHealthStateEnumHealthy {
				out[group] = word
			}
		}
	}
	return out, nil
}

// asker follows no redirect, and takes a connection of its own for each request, which is answered by what listens now.
var asker = &http.Client{
	Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}
