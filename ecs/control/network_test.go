package control_test

import (
	"testing"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/control"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Tasks with interfaces spread over the zones of their subnets, and over no other.
func TestServiceInItsSubnets(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(4, awsvpc)
		r.want("1 a1 RUNNING, 1 a1 RUNNING, 1 b1 RUNNING, 1 b1 RUNNING")
		r.checkInterfaces()
		r.change(func(s *ecs.Service) { s.DesiredCount = 0 })
		r.want("")
		r.checkInterfaces()
	}, "a1", "b1", "c1")
}

func TestServiceSaysWhyItHasNoInterfaces(t *testing.T) {
	const head = "(service web) was unable to place a task because no container instance met all of its requirements. "
	subnets := func(ids ...string) func(*ecs.Service) {
		return func(s *ecs.Service) { s.Target.Network.AwsvpcConfiguration.Subnets = ids }
	}
	for _, c := range []struct {
		name      string
		instances []string
		change    func(*ecs.Service)
		running   string
		said      string
	}{
		{"no subnet in the zone", []string{"c1"}, func(*ecs.Service) {}, "", head + `The closest matching (container-instance c1) encountered error "LOCATION".`},
		{"no free address", []string{"a1"}, subnets("subnet-one"), "1 a1 RUNNING", head + `The closest matching (container-instance a1) encountered error "RESOURCE:ENI".`},
		{"no such subnet", []string{"a1"}, subnets("subnet-a", "subnet-9"), "",
			"(service web) was unable to place a task. Reason: Error retrieving subnet information for [subnet-9]: The subnet ID 'subnet-9' does not exist (ErrorCode: InvalidSubnetID.NotFound)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, control.Options{}, func(r *region) {
				r.network.Subnets = append(r.network.Subnets, ecs.Subnet{ID: "subnet-one", VPC: "vpc-1", Zone: "us-east-1a", Free: 1})
				r.stop()
				r.start(control.Options{})
				r.create(2, awsvpc, c.change)
				r.want(c.running)
				r.said(c.said)
				r.checkInterfaces()
			}, c.instances...)
		})
	}
}

// An address that comes free is the next task's.
func TestServiceGetsTheAddressThatComesFree(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.network.Subnets = []ecs.Subnet{{ID: "subnet-a", VPC: "vpc-1", Zone: "us-east-1a", Free: 1}}
		r.stop()
		r.start(control.Options{})
		r.create(1, awsvpc, func(s *ecs.Service) {
			s.Target.Network = &shape.NetworkConfiguration{AwsvpcConfiguration: &shape.AwsVpcConfiguration{Subnets: []string{"subnet-a"}}}
			s.Configuration = shape.DeploymentConfiguration{MinimumHealthyPercent: aws.Ptr(int32(0)), MaximumPercent: aws.Ptr(int32(200))}
		})
		r.want("1 a1 RUNNING")
		r.kill(r.tasks("LIVE")[0])
		r.settle()
		r.want("1 a1 RUNNING")
		r.checkInterfaces()
	}, "a1")
}

// The hosts of a DAEMON service in awsvpc are in the zones of its subnets.
func TestDaemonInItsSubnets(t *testing.T) {
	run(t, control.Options{}, func(r *region) {
		r.create(0, awsvpc, daemon)
		r.want("1 a1 RUNNING, 1 b1 RUNNING")
		r.join("a2")
		r.join("c2")
		r.want("1 a1 RUNNING, 1 a2 RUNNING, 1 b1 RUNNING")
		r.said("(service web) has reached a steady state.")
		r.checkInterfaces()
	}, "a1", "b1", "c1")
}
