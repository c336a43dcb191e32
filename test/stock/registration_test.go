package stock

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

func TestRegistration(t *testing.T) {
	s := newServer(t)
	a := s.agent()
	echoed := must(a.register())(t)
	if echoed["ecs.availability-zone"] != "us-east-1a" {
		t.Errorf("the agent is told of zone %q", echoed["ecs.availability-zone"])
	}
	first := a.arn
	a.arn = "" // the answer got lost: the same token again
	if must(a.register())(t); a.arn != first {
		t.Errorf("one token made %s and %s", first, a.arn)
	}
	if v := s.instance(a.arn).VersionInfo; v != nil && v.AgentVersion != nil {
		t.Errorf("a version before any session: %+v", v)
	}
	a.discover()
	if err := a.connect(); err != nil {
		t.Fatal(err)
	}
	s.connected(a.arn, true)
	i := s.instance(a.arn) // the registration says nothing of versions: the session's query does
	if v := i.VersionInfo; aws.ToString(v.AgentVersion) != "1.105.1" || aws.ToString(v.AgentHash) != "a8b3e7d3" || aws.ToString(v.DockerVersion) != "20.10.24+dfsg1" {
		t.Errorf("versions: %+v", v)
	}
	a.stop()
	a.token = "1c0c7f5c-6d0b-4b0e-9a53-60e3d9f4f7a1" // of the next process
	if must(a.register())(t); a.arn != first {
		t.Errorf("registered again as %s, not %s", a.arn, first)
	}
	if err := a.connect(); err != nil {
		t.Fatal(err)
	}
	s.connected(first, true)
	if all := must(s.ecs.ListContainerInstances(s.ctx, &ecs.ListContainerInstancesInput{}))(t); len(all.ContainerInstanceArns) != 1 {
		t.Errorf("instances: %v", all.ContainerInstanceArns)
	}
}

// What the agent acts on: ClientException and InvalidParameterException end it for good, anything else is tried again.
func TestRegistrationRefused(t *testing.T) {
	s := newServer(t)
	known := s.newAgent()
	says := func(what string, err error, code, message string) {
		t.Helper()
		var e *apiError
		if !errors.As(err, &e) || !strings.HasSuffix(e.Type, code) || !strings.Contains(e.Message, message) {
			t.Errorf("%s: %v, want %s %s", what, err, code, message)
		}
	}
	a := s.agent()
	for _, name := range []string{"missing", "Default", "DEFAULT"} { // names are exact, as in AWS
		a.cluster = name
		_, err := a.register()
		says("cluster "+name, err, "ClientException", "Cluster not found.")
	}
	// An agent without ECS_EXTERNAL on the data of one with it.
	body := strings.Replace(string(known.text("reregister")), `{"name":"ecs.capability.external"},`, "", 1)
	says("another type", known.call("RegisterContainerInstance", []byte(body), &struct{}{}), "ClientException", "Container instance type changes are not supported.")

	must(s.ecs.DeregisterContainerInstance(s.ctx, &ecs.DeregisterContainerInstanceInput{ContainerInstance: &known.arn}))(t)
	_, err := known.register()
	says("deregistered", err, "ClientException", "is inactive.")
}

// ECS_CLUSTER is sent as it was written; all of the agent's calls take its forms.
func TestClusterIsNamedAsConfigured(t *testing.T) {
	s := newServer(t)
	s.define("web", "web", "side")
	for _, name := range []string{cluster, "arn:aws:ecs:us-east-1:000000000000:cluster/default"} {
		a := s.agent()
		a.cluster, a.token = name, "token-of-"+name[:3]+"-0123456789"
		a.start()
		m := a.manifest()
		if m.ClusterArn != "arn:aws:ecs:us-east-1:000000000000:cluster/default" || len(m.Tasks) != 0 {
			t.Errorf("%s: %+v", name, m)
		}
		task := s.run("web")
		a.take()
		a.submit("running", task)
		a.submit("stopped", task)
		if got := s.task(task); *got.LastStatus != "STOPPED" {
			t.Errorf("%s: %s", name, *got.LastStatus)
		}
		a.stop()
	}
}
