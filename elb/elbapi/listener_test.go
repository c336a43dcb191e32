package elbapi

import (
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/elbv2"
)

func forwardTo(groups ...string) []shape.Action {
	if len(groups) == 1 {
		return []shape.Action{{Type: aws.Ptr("forward"), TargetGroupArn: &groups[0]}}
	}
	c := &shape.ForwardActionConfig{}
	for _, g := range groups {
		c.TargetGroups = append(c.TargetGroups, shape.TargetGroupTuple{TargetGroupArn: &g})
	}
	return []shape.Action{{Type: aws.Ptr("forward"), ForwardConfig: c}}
}

var notFound = []shape.Action{{Type: aws.Ptr("fixed-response"), FixedResponseConfig: &shape.FixedResponseActionConfig{StatusCode: aws.Ptr("404")}}}

// listener makes a plain listener.
func (w *world) listener(l shape.LoadBalancer, port int32, actions []shape.Action) shape.Listener {
	w.Helper()
	protocol := "HTTP"
	if *l.Type == "network" {
		protocol = "TCP"
	}
	return must(w, shape.OpCreateListener, w.api.CreateListener, &shape.CreateListenerInput{
		LoadBalancerArn: l.LoadBalancerArn, Port: &port, Protocol: &protocol, DefaultActions: actions,
	}).Listeners[0]
}

const certificate = "arn:aws:acm:us-east-1:000000000000:certificate/"

func TestListeners(t *testing.T) {
	w := newWorld(t)
	l, n := w.balancer("web"), w.network("tcp")
	a, b, c := w.groupRecord("a", "HTTP", "vpc-1"), w.groupRecord("b", "HTTP", "vpc-1"), w.groupRecord("c", "TCP", "vpc-1")
	i := w.listener(l, 80, forwardTo(a))
	if *i.Protocol != "HTTP" || *i.Port != 80 || *i.DefaultActions[0].TargetGroupArn != a || len(i.DefaultActions[0].ForwardConfig.TargetGroups) != 1 ||
		*i.DefaultActions[0].ForwardConfig.TargetGroupStickinessConfig.Enabled {
		t.Errorf("made: %+v", i)
	}
	w.listener(n, 80, forwardTo(c))
	create := func(in shape.CreateListenerInput, want string) {
		t.Helper()
		if in.LoadBalancerArn == nil {
			in.LoadBalancerArn = l.LoadBalancerArn
		}
		if in.Port == nil {
			in.Port = aws.Ptr[int32](81)
		}
		if in.Protocol == nil {
			in.Protocol = aws.Ptr("HTTP")
		}
		if in.DefaultActions == nil {
			in.DefaultActions = notFound
		}
		fails(w, shape.OpCreateListener, w.api.CreateListener, &in, want)
	}
	none := certificate + "none"
	create(shape.CreateListenerInput{Port: aws.Ptr[int32](80)}, "DuplicateListener: A listener already exists on this port for this load balancer")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("TCP")}, "ValidationError: Listener protocol 'TCP' must be one of 'HTTP, HTTPS'")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("TLS"), LoadBalancerArn: n.LoadBalancerArn}, "UnsupportedProtocol: not supported in this region yet")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("UDP"), LoadBalancerArn: n.LoadBalancerArn}, "UnsupportedProtocol: 'UDP'")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("TCP"), LoadBalancerArn: n.LoadBalancerArn}, "InvalidLoadBalancerAction: not valid with a Network")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("HTTPS")}, "ValidationError: exactly one certificate")
	create(shape.CreateListenerInput{Protocol: aws.Ptr("HTTPS"), Certificates: []shape.Certificate{{CertificateArn: &none}}}, "CertificateNotFound: Certificate '"+none)
	create(shape.CreateListenerInput{Protocol: aws.Ptr("HTTPS"), SslPolicy: aws.Ptr("no"), Certificates: []shape.Certificate{{CertificateArn: aws.Ptr(certificate + "1")}}}, "SSLPolicyNotFound: 'no'")
	create(shape.CreateListenerInput{SslPolicy: aws.Ptr("no")}, "ValidationError: SSL policy cannot be specified")
	create(shape.CreateListenerInput{MutualAuthentication: &shape.MutualAuthenticationAttributes{Mode: aws.Ptr("verify")}}, "OperationNotPermitted: Mutual authentication is not supported")
	create(shape.CreateListenerInput{DefaultActions: forwardTo(c)}, "IncompatibleProtocols: Listener protocol 'HTTP' is not supported")
	create(shape.CreateListenerInput{DefaultActions: forwardTo(w.groupRecord("d", "HTTP", "vpc-2"))}, "InvalidConfigurationRequest: same VPC")
	create(shape.CreateListenerInput{DefaultActions: forwardTo("arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/x/y")}, "TargetGroupNotFound: One or more target groups not found")
	create(shape.CreateListenerInput{DefaultActions: []shape.Action{{Type: aws.Ptr("authenticate-oidc")}}}, "OperationNotPermitted: 'authenticate-oidc' are not supported")
	create(shape.CreateListenerInput{LoadBalancerArn: w.balancer("other").LoadBalancerArn, DefaultActions: forwardTo(a)},
		"TargetGroupAssociationLimit: The following target groups cannot be associated with more than one load balancer: "+a)

	must(w, shape.OpModifyListener, w.api.ModifyListener, &shape.ModifyListenerInput{ListenerArn: i.ListenerArn, DefaultActions: forwardTo(a, b)})
	second := w.listener(l, 81, notFound)
	fails(w, shape.OpModifyListener, w.api.ModifyListener, &shape.ModifyListenerInput{ListenerArn: second.ListenerArn, Port: aws.Ptr[int32](80)}, "DuplicateListener: ")
	must(w, shape.OpModifyListener, w.api.ModifyListener, &shape.ModifyListenerInput{
		ListenerArn: second.ListenerArn, Port: aws.Ptr[int32](443), Protocol: aws.Ptr("HTTPS"), Certificates: []shape.Certificate{{CertificateArn: aws.Ptr(certificate + "1")}},
	})
	out := must(w, shape.OpDescribeListeners, w.api.DescribeListeners, &shape.DescribeListenersInput{ListenerArns: []string{*i.ListenerArn, *second.ListenerArn}})
	if d := out.Listeners; len(d) != 2 || d[0].DefaultActions[0].TargetGroupArn != nil || len(d[0].DefaultActions[0].ForwardConfig.TargetGroups) != 2 ||
		*d[1].Port != 443 || *d[1].SslPolicy != "ELBSecurityPolicy-2016-08" || *d[1].Certificates[0].CertificateArn != certificate+"1" {
		t.Errorf("described: %+v", d)
	}
	if all := must(w, shape.OpDescribeListeners, w.api.DescribeListeners, &shape.DescribeListenersInput{LoadBalancerArn: l.LoadBalancerArn}); len(all.Listeners) != 2 {
		t.Errorf("of the load balancer: %+v", all)
	}
	must(w, shape.OpDeleteListener, w.api.DeleteListener, &shape.DeleteListenerInput{ListenerArn: i.ListenerArn})
	fails(w, shape.OpDeleteListener, w.api.DeleteListener, &shape.DeleteListenerInput{ListenerArn: i.ListenerArn}, "ListenerNotFound: One or more listeners not found")
	w.listener(l, 80, forwardTo(a)) // port and group are free
}

func TestCertificatesOfListener(t *testing.T) {
	w := newWorld(t)
	l := w.balancer("web")
	plain := w.listener(l, 80, notFound)
	i := must(w, shape.OpCreateListener, w.api.CreateListener, &shape.CreateListenerInput{
		LoadBalancerArn: l.LoadBalancerArn, Port: aws.Ptr[int32](443), Protocol: aws.Ptr("HTTPS"), DefaultActions: notFound,
		Certificates: []shape.Certificate{{CertificateArn: aws.Ptr(certificate + "1")}},
	}).Listeners[0]
	named := func(ids ...string) (all []shape.Certificate) {
		for _, id := range ids {
			all = append(all, shape.Certificate{CertificateArn: aws.Ptr(certificate + id)})
		}
		return all
	}
	must(w, shape.OpAddListenerCertificates, w.api.AddListenerCertificates, &shape.AddListenerCertificatesInput{ListenerArn: i.ListenerArn, Certificates: named("0", "2", "1")})
	fails(w, shape.OpAddListenerCertificates, w.api.AddListenerCertificates, &shape.AddListenerCertificatesInput{ListenerArn: i.ListenerArn, Certificates: named("none")}, "CertificateNotFound: ")
	fails(w, shape.OpAddListenerCertificates, w.api.AddListenerCertificates, &shape.AddListenerCertificatesInput{ListenerArn: plain.ListenerArn, Certificates: named("0")}, "OperationNotPermitted: HTTPS")
	describe := func() string {
		out := must(w, shape.OpDescribeListenerCertificates, w.api.DescribeListenerCertificates, &shape.DescribeListenerCertificatesInput{ListenerArn: i.ListenerArn})
		var all strings.Builder
		for _, c := range out.Certificates {
			all.WriteString((*c.CertificateArn)[len(certificate):])
			if *c.IsDefault {
				all.WriteByte('!')
			}
		}
		return all.String()
	}
	if got := describe(); got != "1!02" {
		t.Errorf("certificates %s", got)
	}
	fails(w, shape.OpRemoveListenerCertificates, w.api.RemoveListenerCertificates, &shape.RemoveListenerCertificatesInput{ListenerArn: i.ListenerArn, Certificates: named("1")}, "OperationNotPermitted: default")
	must(w, shape.OpRemoveListenerCertificates, w.api.RemoveListenerCertificates, &shape.RemoveListenerCertificatesInput{ListenerArn: i.ListenerArn, Certificates: named("0", "7")})
	if got := describe(); got != "1!2" {
		t.Errorf("certificates %s", got)
	}
	must(w, shape.OpModifyListenerAttributes, w.api.ModifyListenerAttributes, &shape.ModifyListenerAttributesInput{
		ListenerArn: i.ListenerArn, Attributes: []shape.ListenerAttribute{{Key: aws.Ptr("routing.http.response.server.enabled"), Value: aws.Ptr("false")}},
	})
	fails(w, shape.OpModifyListenerAttributes, w.api.ModifyListenerAttributes, &shape.ModifyListenerAttributesInput{
		ListenerArn: i.ListenerArn, Attributes: []shape.ListenerAttribute{{Key: aws.Ptr("tcp.idle_timeout.seconds"), Value: aws.Ptr("60")}},
	}, "ValidationError: Listener attribute key 'tcp.idle_timeout.seconds' is not recognized")
	must(w, shape.OpDeleteLoadBalancer, w.api.DeleteLoadBalancer, &shape.DeleteLoadBalancerInput{LoadBalancerArn: l.LoadBalancerArn})
	w.empty("elb.changes")
}
