package ecsapi

import (
	"context"

	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/ecs/request"
	"github.com/berth-ecs/berth/ecs/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// describedAtOnce is how many service deployments or revisions one call may ask for.
const describedAtOnce = 20

// DescribeServiceDeployments answers service deployments while they are kept.
func (a *API) DescribeServiceDeployments(ctx context.Context, c wire.Call, in *shape.DescribeServiceDeploymentsRequest) (*shape.DescribeServiceDeploymentsResponse, error) {
	if n := len(in.ServiceDeploymentArns); n == 0 || n > describedAtOnce {
		return nil, request.Invalid("ServiceDeploymentArns must have between 1 and %d elements.", describedAtOnce)
	}
	out := &shape.DescribeServiceDeploymentsResponse{ServiceDeployments: []shape.ServiceDeployment{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		for _, arn := range in.ServiceDeploymentArns {
			key, err := historyKey(home(c), arn, "service-deployment")
			if err != nil {
				return err
			}
			d, ok := tables.ServiceDeployments.Peek(tx, key)
			if !ok {
				out.Failures = append(out.Failures, missing(arn))
				continue
			}
			v := tables.ViewServiceDeployment(tx, a.wings, tables.PeekServiceDeployment(tx, d))
			out.ServiceDeployments = append(out.ServiceDeployments, ecs.RenderServiceDeployment(v))
		}
		return nil
	})
	return out, err
}

// DescribeServiceRevisions answers what deployments rolled out, while a deployment that is kept has to do with it.
func (a *API) DescribeServiceRevisions(ctx context.Context, c wire.Call, in *shape.DescribeServiceRevisionsRequest) (*shape.DescribeServiceRevisionsResponse, error) {
	if n := len(in.ServiceRevisionArns); n == 0 || n > describedAtOnce {
		return nil, request.Invalid("ServiceRevisionArns must have between 1 and %d elements.", describedAtOnce)
	}
	out := &shape.DescribeServiceRevisionsResponse{ServiceRevisions: []shape.ServiceRevision{}, Failures: []shape.Failure{}}
	err := a.view(ctx, func(tx store.Tx) error {
		for _, arn := range in.ServiceRevisionArns {
			key, err := historyKey(home(c), arn, "service-revision")
			if err != nil {
				return err
			}
			r, ok := tables.ServiceRevisions.Peek(tx, key)
			if !ok {
				out.Failures = append(out.Failures, missing(arn))
				continue
			}
			out.ServiceRevisions = append(out.ServiceRevisions, ecs.RenderServiceRevision(r, tables.Digests(tx, r)))
		}
		return nil
	})
	return out, err
}

// historyKey is the key of a service deployment or a revision, by its ARN.
func historyKey(h ecs.Home, arn, kind string) (string, error) {
	a, err := request.ParseARN(h, arn, kind, 3)
	if err != nil {
		return "", err
	}
	return tables.HistoryKey(h, a.Parts[0], a.Parts[1], a.Parts[2]), nil
}
