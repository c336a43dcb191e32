package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/berth-ecs/berth/test/rounds"
)

// serviceStep changes one of a few services, or looks whether it is as it was acknowledged. The last one has a port of its
// own on the node, so its tasks replace each other stop before start; tasks of s4 have interfaces of their own, with a sandbox or not, and
// those of s5 run on FARGATE. s6 is behind a load balancer.
func (l *load) serviceStep(r *rand.Rand) {
	name := fmt.Sprint("s", r.IntN(7))
	fixed := name == "s3"
	was, next := l.w.book.service(name), spec{exists: true, definition: rolling[r.IntN(len(rolling))], desired: int32(r.IntN(4))}
	if fixed {
		next.definition, next.desired = staticFamily, int32(r.IntN(2))
	}
	switch private := l.w.privately(); name {
	case "s4":
		next.definition = private[r.IntN(len(private))]
	case balanced:
		next.definition, next.desired = behindFamily, int32(r.IntN(3))
	case "s5":
		next.definition, next.desired = fargateFamily, int32(r.IntN(3))
	}
	switch dice := r.IntN(10); {
	case !was.exists:
		l.change(name, was, next, l.create(name, next, fixed, r.Uint64()))
	case dice < 3: // scale
		next.definition = was.definition
		l.change(name, was, next, l.update(name, next, false))
	case dice < 6: // roll; with the same definition by force
		next.desired = was.desired
		l.change(name, was, next, l.update(name, next, true))
	case dice < 8:
		l.change(name, was, spec{}, l.remove(name))
	default:
		l.look(name, was)
	}
}

// change makes a call that may be lost. Then the service is as it was or as it was to be, and the call is made again.
func (l *load) change(name string, was, next spec, call func(context.Context) error) {
	what := fmt.Sprintf("service %s from %s to %s", name, was, next)
	for {
		got, err := l.call(what, call)
		switch {
		case got == acknowledged, got == refused && !next.exists && gone(err):
			l.w.book.setService(name, next)
			return
		case got == refused:
			if !draining(err) {
				l.w.book.find("%s was refused: %v", what, err)
			}
			return
		}
		now, err := l.describe(name)
		if err != nil {
			l.w.book.find("%s: %v", what, err)
			return
		}
		if now != was && now != next {
			l.w.book.find("%s was lost on its way; it is now %s", what, now)
		}
		if now == next {
			l.w.book.setService(name, next)
			return
		}
	}
}

// look compares a service with what was acknowledged of it.
func (l *load) look(name string, want spec) {
	if now, err := l.describe(name); err != nil || now != want {
		l.w.book.find("service %s: acknowledged as %s, now it is %s (%v)", name, want, now, err)
	}
}

func (l *load) describe(name string) (now spec, err error) {
	err = l.must("DescribeServices "+name, func(ctx context.Context) error {
		out, err := l.w.api.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}})
		if err == nil {
			now = specOf(out.Services)
		}
		return err
	})
	return now, err
}

func specOf(found []types.Service) spec {
	if len(found) == 0 || aws.ToString(found[0].Status) != "ACTIVE" {
		return spec{}
	}
	return spec{exists: true, definition: rounds.Family(aws.ToString(found[0].TaskDefinition)), desired: found[0].DesiredCount}
}

func (l *load) create(name string, s spec, fixed bool, token uint64) func(context.Context) error {
	in := &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String(s.definition), DesiredCount: aws.Int32(s.desired),
		ClientToken: aws.String(fmt.Sprintf("create-%016x", token)),
	}
	if fixed {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(0), MaximumPercent: aws.Int32(100)}
	}
	in.NetworkConfiguration, in.LaunchType = l.w.network(s.definition), launchType(s.definition)
	in.ServiceRegistries, in.LoadBalancers = l.w.registries(name), l.w.targets(name)
	return func(ctx context.Context) error { _, err := l.w.api.CreateService(ctx, in); return err }
}

func (l *load) update(name string, s spec, roll bool) func(context.Context) error {
	in := &ecs.UpdateServiceInput{Service: aws.String(name), DesiredCount: aws.Int32(s.desired)}
	if roll {
		in.TaskDefinition, in.ForceNewDeployment = aws.String(s.definition), true
	}
	return func(ctx context.Context) error { _, err := l.w.api.UpdateService(ctx, in); return err }
}

func (l *load) remove(name string) func(context.Context) error {
	in := &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)}
	return func(ctx context.Context) error { _, err := l.w.api.DeleteService(ctx, in); return err }
}

// gone: an earlier call, whose answer was lost, deleted it.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "ServiceNotActiveException" || api.ErrorCode() == "ServiceNotFoundException")
}

// draining: a service of that name was deleted and its tasks are still ending.
func draining(err error) bool { return strings.Contains(strings.ToLower(err.Error()), "draining") }
