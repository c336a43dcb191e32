package clients

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
)

// balanced is a load balancer as a module of Terraform's makes it.
type balanced struct {
	*testing.T
	*elbv2.Client
	lb              types.LoadBalancer
	group, listener *string
}

// The life of aws_lb, aws_lb_target_group, aws_lb_listener and aws_lb_listener_rule with the calls of the provider.
func TestTerraformBalancers(t *testing.T) {
	t.Parallel()
	b := &balanced{T: t, Client: region.Balancers()}
	b.make()
	b.attributes()
	b.rules()
	b.described()
	b.destroy()
}

func (b *balanced) make() {
	ctx := b.Context()
	subnets := must[ec2.DescribeSubnetsOutput](b.T)(region.EC2().DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
		Filters: []ec2types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}},
	})).Subnets
	in := &elbv2.CreateLoadBalancerInput{
		Name: aws.String("tf-web"), Scheme: types.LoadBalancerSchemeEnumInternal, Type: types.LoadBalancerTypeEnumApplication,
		Subnets: []string{*subnets[0].SubnetId, *subnets[1].SubnetId}, Tags: []types.Tag{{Key: aws.String("by"), Value: aws.String("terraform")}},
	}
	b.lb = must[elbv2.CreateLoadBalancerOutput](b.T)(b.CreateLoadBalancer(ctx, in)).LoadBalancers[0]
	if !strings.HasPrefix(*b.lb.DNSName, "internal-tf-web-") || len(b.lb.SecurityGroups) != 1 || b.lb.State.Code == "" {
		b.Errorf("made: %+v", b.lb)
	}
	again := must[elbv2.CreateLoadBalancerOutput](b.T)(b.CreateLoadBalancer(ctx, in))
	if *again.LoadBalancers[0].LoadBalancerArn != *b.lb.LoadBalancerArn {
		b.Error("the same call made another one")
	}
	b.group = must[elbv2.CreateTargetGroupOutput](b.T)(b.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("tf-web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: b.lb.VpcId, TargetType: types.TargetTypeEnumIp,
	})).TargetGroups[0].TargetGroupArn
	b.listener = must[elbv2.CreateListenerOutput](b.T)(b.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: b.lb.LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: b.group}},
	})).Listeners[0].ListenerArn
}

// attributes: the provider strips a key that it is told is not recognized, and tries again.
func (b *balanced) attributes() {
	ctx := b.Context()
	_, err := b.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: b.lb.LoadBalancerArn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("no.such"), Value: aws.String("1")}},
	})
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "ValidationError" || e.ErrorMessage() != "Load balancer attribute key 'no.such' is not recognized" {
		b.Errorf("an unknown attribute: %v", err)
	}
	must[elbv2.ModifyLoadBalancerAttributesOutput](b.T)(b.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: b.lb.LoadBalancerArn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("true")}},
	}))
	_, err = b.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.lb.LoadBalancerArn})
	if kept, ok := errors.AsType[*types.OperationNotPermittedException](err); !ok {
		b.Errorf("a protected one is deleted: %v, %v", err, kept)
	}
	must[elbv2.ModifyLoadBalancerAttributesOutput](b.T)(b.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: b.lb.LoadBalancerArn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("deletion_protection.enabled"), Value: aws.String("false")}},
	}))
	must[elbv2.DescribeCapacityReservationOutput](b.T)(b.DescribeCapacityReservation(ctx, &elbv2.DescribeCapacityReservationInput{LoadBalancerArn: b.lb.LoadBalancerArn}))
}

func (b *balanced) rules() {
	ctx := b.Context()
	var made []string
	for i, path := range []string{"/a/*", "/b/*"} {
		out := must[elbv2.CreateRuleOutput](b.T)(b.CreateRule(ctx, &elbv2.CreateRuleInput{
			ListenerArn: b.listener, Priority: aws.Int32(int32(i + 1)),
			Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{path}}}},
			Actions: []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
				Protocol: aws.String("HTTPS"), Port: aws.String("443"), StatusCode: types.RedirectActionStatusCodeEnumHttp301}}},
		}))
		made = append(made, *out.Rules[0].RuleArn)
	}
	must[elbv2.SetRulePrioritiesOutput](b.T)(b.SetRulePriorities(ctx, &elbv2.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{
		{RuleArn: &made[0], Priority: aws.Int32(2)}, {RuleArn: &made[1], Priority: aws.Int32(1)},
	}}))
	got := must[elbv2.DescribeRulesOutput](b.T)(b.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: b.listener})).Rules
	if len(got) != 3 || *got[0].RuleArn != made[1] || *got[0].Actions[0].RedirectConfig.Host != "#{host}" || !*got[2].IsDefault || *got[2].Priority != "default" {
		b.Errorf("rules: %+v", got)
	}
}

// described: what one client made, another one reads.
func (b *balanced) described() {
	said := shell(b.T, `
arn=$(aws elbv2 describe-load-balancers --names tf-web --query 'LoadBalancers[0].LoadBalancerArn' --output text)
aws elbv2 describe-listeners --load-balancer-arn "$arn" --query 'Listeners[0].[Port,Protocol,DefaultActions[0].Type]' --output text
aws elbv2 describe-tags --resource-arns "$arn" --query 'TagDescriptions[0].Tags[0].Value' --output text
aws elbv2 describe-load-balancers --names none 2>&1 | grep -o "LoadBalancerNotFound.*" || true`)
	want := "80\tHTTP\tforward\nterraform\nLoadBalancerNotFound) when calling the DescribeLoadBalancers operation: Load balancers '[none]' not found"
	if said != want {
		b.Errorf("aws says\n%s\nnot\n%s", said, want)
	}
}

func (b *balanced) destroy() {
	ctx := b.Context()
	_, err := b.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: b.group})
	if used, ok := errors.AsType[*types.ResourceInUseException](err); !ok {
		b.Errorf("a group that is in use is deleted: %v, %v", err, used)
	}
	must[elbv2.DeleteLoadBalancerOutput](b.T)(b.DeleteLoadBalancer(ctx, &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.lb.LoadBalancerArn}))
	gone := elbv2.NewLoadBalancersDeletedWaiter(b.Client)
	if err := gone.Wait(ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*b.lb.LoadBalancerArn}}, time.Minute); err != nil {
		b.Error(err)
	}
	must[elbv2.DeleteTargetGroupOutput](b.T)(b.DeleteTargetGroup(ctx, &elbv2.DeleteTargetGroupInput{TargetGroupArn: b.group}))
}
