package balancing

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/berth-ecs/berth/acm/acmtest"
	"github.com/berth-ecs/berth/test/installation"
)

// world is a load balancer of each type in two zones, and what the tests put behind them.
type world struct {
	elb           *elbv2.Client
	vpc           string
	subnets       []string
	open          string // a security group
	app, net      balancer
	plain, secure string // listeners of app
	api           string // a target group, that rules lead to
	root          *acmtest.Authority
}

// balancer is a load balancer, and where it is for who is outside.
type balancer struct {
	arn, name string
	at        []netip.Addr
}

const secureHost = "secure.example"

func newWorld(t *testing.T) *world {
	t.Helper()
	if _, err := os.Stat(filepath.Join(region.BinDir, "envoy")); err != nil {
		t.Skip("no Envoy on this machine: hack/install.sh test brings one")
	}
	w := &world{elb: region.Balancers(), root: acmtest.New(t, acmtest.Of{})}
	w.place(t)
	w.app.arn, w.app.name = w.balancer(t, "app", types.LoadBalancerTypeEnumApplication)
	w.net.arn, w.net.name = w.balancer(t, "net", types.LoadBalancerTypeEnumNetwork)
	_, err := w.elb.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &w.app.arn, Attributes: []types.LoadBalancerAttribute{
		{Key: aws.String("access_logs.s3.enabled"), Value: aws.String("true")}, {Key: aws.String("access_logs.s3.bucket"), Value: aws.String("logs")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	nothing := types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: aws.String("404"), ContentType: aws.String("text/plain"), MessageBody: aws.String("nothing"),
	}}
	w.plain = w.listen(t, &elbv2.CreateListenerInput{LoadBalancerArn: &w.app.arn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), DefaultActions: []types.Action{nothing}})
	w.secure = w.listen(t, &elbv2.CreateListenerInput{LoadBalancerArn: &w.app.arn, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(443),
		Certificates: []types.Certificate{{CertificateArn: aws.String(w.certificate(t))}}, DefaultActions: []types.Action{nothing}})
	return w
}

// place finds the default subnets and makes a security group that lets everything in.
func (w *world) place(t *testing.T) {
	t.Helper()
	var found struct {
		Subnets []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	ec2(t, &found, "DescribeSubnets", "Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true",
		"Filter.2.Name", "availability-zone", "Filter.2.Value.1", installation.Region+"a", "Filter.2.Value.2", installation.Region+"b")
	if len(found.Subnets) != 2 {
		t.Fatalf("subnets %+v", found)
	}
	for _, s := range found.Subnets {
		w.subnets, w.vpc = append(w.subnets, s.ID), s.VPC
	}
	var made struct {
		ID string `xml:"groupId"`
	}
	ec2(t, &made, "CreateSecurityGroup", "GroupName", "open", "GroupDescription", "of a test", "VpcId", w.vpc)
	w.open = made.ID
	ec2(t, &struct{}{}, "AuthorizeSecurityGroupIngress", "GroupId", made.ID, "IpPermissions.1.IpProtocol", "-1", "IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0")
}

func ec2(t testing.TB, into any, action string, pairs ...string) {
	t.Helper()
	if err := region.AskEC2(t.Context(), into, action, pairs...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) balancer(t *testing.T, name string, of types.LoadBalancerTypeEnum) (arn, dns string) {
	t.Helper()
	out, err := w.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{
		Name: &name, Type: of, Scheme: types.LoadBalancerSchemeEnumInternetFacing, Subnets: w.subnets, SecurityGroups: []string{w.open},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.LoadBalancers[0].LoadBalancerArn, *out.LoadBalancers[0].DNSName
}

func (w *world) listen(t *testing.T, in *elbv2.CreateListenerInput) string {
	t.Helper()
	out, err := w.elb.CreateListener(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.Listeners[0].ListenerArn
}

func (w *world) certificate(t *testing.T) string {
	t.Helper()
	m := w.root.Issue(acmtest.Of{Names: []string{secureHost}})
	var made struct{ CertificateArn string }
	if err := region.AskACM(t.Context(), "ImportCertificate", map[string]any{"Certificate": m.Body, "PrivateKey": m.Key, "CertificateChain": m.Chain}, &made); err != nil {
		t.Fatal(err)
	}
	return made.CertificateArn
}

// group makes a target group by address. change may be nil.
func (w *world) group(t *testing.T, name string, change func(*elbv2.CreateTargetGroupInput)) string {
	t.Helper()
	in := &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: &w.vpc, TargetType: types.TargetTypeEnumIp,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	}
	if change != nil {
		change(in)
	}
	out, err := w.elb.CreateTargetGroup(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.TargetGroups[0].TargetGroupArn
}

func (w *world) rule(t *testing.T, listener string, priority int32, action types.Action, conditions ...types.RuleCondition) {
	t.Helper()
	_, err := w.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{ListenerArn: &listener, Priority: &priority, Actions: []types.Action{action}, Conditions: conditions})
	if err != nil {
		t.Fatal(err)
	}
}

func forward(group string) types.Action {
	return types.Action{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}
}

func host(name string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{name}}}
}

func path(pattern string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{pattern}}}
}

// active waits until both load balancers are, and names lead to them.
func (w *world) active(t *testing.T) {
	t.Helper()
	installation.Eventually(t, "the load balancers are active", func(ctx context.Context) error {
		out, err := w.elb.DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{w.app.arn, w.net.arn}})
		if err != nil {
			return err
		}
		for _, b := range out.LoadBalancers {
			if b.State.Code != types.LoadBalancerStateEnumActive {
				err = errors.Join(err, fmt.Errorf("%s is %s: %s", *b.LoadBalancerName, b.State.Code, aws.ToString(b.State.Reason)))
			}
		}
		return err
	})
	for _, b := range []*balancer{&w.app, &w.net} {
		installation.Eventually(t, "a name leads to "+b.name, func(ctx context.Context) (err error) {
			if b.at, err = lookup(ctx, b.name); err == nil && len(b.at) != 1 { // the other zone has no machine
				err = fmt.Errorf("it leads to %v", b.at)
			}
			return err
		})
	}
}

// lookup asks the region for a name as who is outside.
func lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", region.DNS)
	}}
	return r.LookupNetIP(ctx, "ip4", strings.TrimSuffix(name, ".")+".")
}

// healthy waits until a group has so many targets that are.
func (w *world) healthy(t *testing.T, group string, n int) {
	t.Helper()
	installation.Eventually(t, "targets are healthy", func(ctx context.Context) error {
		out, err := w.elb.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		if err != nil {
			return err
		}
		good, said := 0, []string(nil)
		for _, h := range out.TargetHealthDescriptions {
			if h.TargetHealth.State == types.TargetHealthStateEnumHealthy {
				good++
			}
			said = append(said, fmt.Sprintf("%s %s %s", *h.Target.Id, h.TargetHealth.State, aws.ToString(h.TargetHealth.Description)))
		}
		if good != n {
			return fmt.Errorf("%d of %d are healthy: %q", good, n, said)
		}
		return nil
	})
}
