package chaos

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

// serviceStep changes one of a few services, or looks whether it is as it was acknowledged, wherever that was.
func (l *load) serviceStep(r *rand.Rand) {
	n := r.IntN(3)
	name, of := fmt.Sprint("s", n), []string{webFamily, vpcFamily, vpcFamily}[n]
	was, next := l.w.book.service(name), spec{exists: true, definition: of, desired: int32(r.IntN(4))}
	switch dice := r.IntN(10); {
	case !was.exists:
		l.change(r, name, was, next, l.create(name, next, r.Uint64()))
	case dice < 4: // scale
		l.change(r, name, was, next, l.update(name, next, false))
	case dice < 5: // roll
		next.desired = was.desired
		l.change(r, name, was, next, l.update(name, next, true))
	case dice < 6:
		l.change(r, name, was, spec{}, l.remove(name))
	default:
		if now, err := l.describe(r, name); err != nil || now != was {
			l.w.book.find("service %s: acknowledged as %s, now it is %s (%v)", name, was, now, err)
		}
	}
}

// change makes a call that may be lost. Then the service is as it was or as it was to be, and the call is made again.
func (l *load) change(r *rand.Rand, name string, was, next spec, call func(context.Context, *ecs.Client) error) {
	what := fmt.Sprintf("service %s from %s to %s", name, was, next)
	for again := false; ; again = true {
		got, err := l.call(what, r, call)
		switch {
		case got == acknowledged, got == refused && !next.exists && again && gone(err):
			l.w.book.setService(name, next)
			return
		case got == refused:
			if !draining(err) {
				l.w.book.find("%s was refused: %v", what, err)
			}
			return
		}
		now, err := l.describe(r, name)
		switch {
		case err != nil:
			l.w.book.find("%s: %v", what, err)
			return
		case now == next:
			l.w.book.setService(name, next)
			return
		case now != was:
			l.w.book.find("%s was lost on its way; it is now %s", what, now)
		}
	}
}

func (l *load) describe(r *rand.Rand, name string) (now spec, err error) {
	err = l.must("DescribeServices "+name, r, func(ctx context.Context, c *ecs.Client) error {
		out, err := c.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}})
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

func (l *load) create(name string, s spec, token uint64) func(context.Context, *ecs.Client) error {
	in := &ecs.CreateServiceInput{
		ServiceName: aws.String(name), TaskDefinition: aws.String(s.definition), DesiredCount: aws.Int32(s.desired),
		ClientToken: aws.String(fmt.Sprintf("create-%016x", token)), NetworkConfiguration: l.w.network(s.definition),
	}
	return func(ctx context.Context, c *ecs.Client) error { _, err := c.CreateService(ctx, in); return err }
}

func (l *load) update(name string, s spec, roll bool) func(context.Context, *ecs.Client) error {
	in := &ecs.UpdateServiceInput{Service: aws.String(name), DesiredCount: aws.Int32(s.desired), ForceNewDeployment: roll}
	return func(ctx context.Context, c *ecs.Client) error { _, err := c.UpdateService(ctx, in); return err }
}

func (l *load) remove(name string) func(context.Context, *ecs.Client) error {
	in := &ecs.DeleteServiceInput{Service: aws.String(name), Force: aws.Bool(true)}
	return func(ctx context.Context, c *ecs.Client) error { _, err := c.DeleteService(ctx, in); return err }
}

// gone: an earlier call, whose answer was lost, deleted it.
func gone(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "ServiceNotActiveException" || api.ErrorCode() == "ServiceNotFoundException")
}

// draining: a service of that name was deleted and its tasks are still ending.
func draining(err error) bool { return strings.Contains(strings.ToLower(err.Error()), "draining") }
