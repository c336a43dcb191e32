package agent

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/node/agent/api"
	"github.com/berth-ecs/berth/node/agent/db"
	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/session"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// registrar is an agent that can register and no more.
func registrar(t *testing.T, s *server) *Agent {
	t.Helper()
	d, err := db.Open(filepath.Join(t.TempDir(), "agent.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	a := &Agent{
		cfg: Config{
			Endpoint: s.http.URL, Cluster: "default", Zone: "us-east-1b", InstanceType: "m5.large", CPU: 2048, MemoryMiB: 1000,
			ReservedMemoryMiB: 100, ReservedPorts: []string{"22"}, Attributes: map[string]string{"rack": "r1"},
			Tags: map[string]string{"a": "b"}, Version: "1.0.0",
		},
		log: slog.New(slog.DiscardHandler), db: d, nodeID: "node1",
		signer: signer{func() sigv4.Credentials { return credentials }, "us-east-1", service},
	}
	a.api = &api.Client{Endpoint: s.http.URL, Signer: a.signer}
	return a
}

func TestRegister(t *testing.T) {
	s := newServer(t)
	a := registrar(t, s)
	for range 2 {
		if arn, err := a.register(t.Context()); err != nil || arn != instanceARN {
			t.Fatalf("%q, %v", arn, err)
		}
	}
	first, again := s.registrations[0], s.registrations[1]
	value := func(r shape.RegisterContainerInstanceRequest, name string) string {
		for _, a := range r.Attributes {
			if aws.Val(a.Name) == name {
				return "=" + aws.Val(a.Value)
			}
		}
		return ""
	}
	for name, want := range map[string]string{
		"ecs.availability-zone": "=us-east-1b", "ecs.instance-type": "=m5.large", "ecs.os-type": "=linux", "rack": "=r1",
		"berth.node-id": "=node1", "com.amazonaws.ecs.capability.docker-remote-api.1.24": "=", "ecs.capability.container-health-check": "=",
		"ecs.capability.secrets.ssm.environment-variables": "", "ecs.capability.task-eni": "", "com.amazonaws.ecs.capability.task-iam-role": "",
	} {
		if got := value(first, name); got != want {
			t.Errorf("%s%s, want %q", name, got, want)
		}
	}
	if value(again, "rack") != "" || aws.Val(again.ContainerInstanceArn) != instanceARN || first.ContainerInstanceArn != nil {
		t.Error("a second registration names the instance and leaves custom attributes alone")
	}
	if r := first.TotalResources; len(r) != 4 || aws.Val(r[0].IntegerValue) != 2048 || aws.Val(r[1].IntegerValue) != 900 || !slices.Equal(r[2].StringSetValue, []string{"22"}) {
		t.Errorf("resources %+v", r)
	}
	a.cfg.Interfaces, a.cfg.Fargate, a.cfg.StorageGiB = noInterfaces{}, true, 200
	offers, err := a.resources()
	if err != nil || len(offers) != 5 || aws.Val(offers[4].Name) != "EPHEMERAL_STORAGE" || aws.Val(offers[4].IntegerValue) != 200 {
		t.Errorf("resources of a node that offers FARGATE: %+v, %v", offers, err)
	}
	if aws.Val(a.zone.Load()) != "us-east-1b" {
		t.Error("the zone was not learnt")
	}
}

type noInterfaces struct{ Interfaces }

func TestRegistrationErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		known   bool
		refuse  *aws.Error
		refused bool
	}{
		{"server busy", false, &aws.Error{Code: shape.CodeServerException, Message: "busy"}, false},
		{"cluster still to come", false, &aws.Error{Code: shape.CodeClientException, Message: "Cluster not found."}, false},
		{"invalid", false, &aws.Error{Code: shape.CodeInvalidParameterException, Message: "Invalid value"}, true},
		{"forgotten", true, &aws.Error{Code: shape.CodeInvalidParameterException, Message: "The specified container instance does not exist."}, false},
		{"another type", true, &aws.Error{Code: shape.CodeInvalidParameterException, Message: "Container instance type changes are not supported."}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			a := registrar(t, s)
			if c.known {
				if err := a.db.SetInstance(db.Instance{ARN: "arn:old", Cluster: "default"}); err != nil {
					t.Fatal(err)
				}
			}
			s.refuse = c.refuse
			arn, err := a.register(t.Context())
			if errors.Is(err, errRefused) != c.refused || !c.refused && arn != instanceARN {
				t.Errorf("%q, %v", arn, err)
			}
		})
	}
}

func TestEchoed(t *testing.T) {
	sent := []shape.Attribute{{Name: aws.Ptr("a"), Value: aws.Ptr("1")}, {Name: aws.Ptr("b")}}
	if err := echoed(sent, append(slices.Clone(sent), shape.Attribute{Name: aws.Ptr("c")})); err != nil {
		t.Error(err)
	}
	for _, got := range [][]shape.Attribute{nil, sent[:1], {{Name: aws.Ptr("a"), Value: aws.Ptr("2")}, sent[1]}} {
		if err := echoed(sent, got); !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "attribute validation failed") {
			t.Errorf("%v: %v", got, err)
		}
	}
}

// Every log driver that is registered is one that a plan takes, and no other.
func TestCapabilitiesArePlans(t *testing.T) {
	for _, driver := range []string{"json-file", "awslogs", "none", "syslog", "fluentd", "splunk", "awsfirelens"} {
		_, err := plan.New(session.Task{Arn: realARN, Containers: []session.Container{{
			Name: "a", Image: "b", DockerConfig: session.DockerConfig{HostConfig: `{"LogConfig":{"Type":"` + driver + `"}}`},
		}}}, plan.Node{DataDir: "/d"})
		if offered := slices.Contains(capabilities, comAmazon+"logging-driver."+driver); offered != (err == nil) {
			t.Errorf("%s: offered %t, planned %v", driver, offered, err)
		}
	}
}

func TestConfig(t *testing.T) {
	_, err := New(t.Context(), Config{Endpoint: "x"})
	if err == nil || err.Error() != "agent: Config.Region is required" {
		t.Errorf("got %v", err)
	}
}
