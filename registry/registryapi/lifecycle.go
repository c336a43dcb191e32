package registryapi

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/lifecycle"
	"github.com/berth-ecs/berth/registry/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

func parsePolicy(text string) (lifecycle.Policy, error) {
	p, err := lifecycle.Parse(text)
	if err != nil {
		return p, &aws.Error{Code: shape.CodeInvalidParameterException,
			Message: "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: " + err.Error() + "'"}
	}
	return p, nil
}

// PutLifecyclePolicy says which images expire; a loop applies it.
func (a *API) PutLifecyclePolicy(ctx context.Context, c wire.Call, in *shape.PutLifecyclePolicyRequest) (*shape.PutLifecyclePolicyResponse, error) {
	if _, err := parsePolicy(aws.Val(in.LifecyclePolicyText)); err != nil {
		return nil, err
	}
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	r, err = a.change(ctx, r, func(next *registry.Repository) error { next.Lifecycle = aws.Val(in.LifecyclePolicyText); return nil })
	if err != nil {
		return nil, err
	}
	return &shape.PutLifecyclePolicyResponse{LifecyclePolicyText: &r.Lifecycle, RegistryId: &r.Account, RepositoryName: &r.Name}, nil
}

// evaluated is when the policy was applied last.
func evaluated(tx store.Tx, r *registry.Repository) *aws.Time {
	if e, ok := tables.Expiries.Peek(tx, tables.At(r.Home).Key(r.ID)); ok {
		return aws.At(e.At)
	}
	return aws.At(time.Unix(0, 0)) // AWS's answer for a policy that was not applied yet
}

// GetLifecyclePolicy answers the policy.
func (a *API) GetLifecyclePolicy(ctx context.Context, c wire.Call, in *shape.GetLifecyclePolicyRequest) (*shape.GetLifecyclePolicyResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Lifecycle == "" {
		return nil, r.NoLifecycle()
	}
	out := &shape.GetLifecyclePolicyResponse{LifecyclePolicyText: &r.Lifecycle, RegistryId: &r.Account, RepositoryName: &r.Name}
	err = a.store.View(ctx, store.Any, func(tx store.Tx) error { out.LastEvaluatedAt = evaluated(tx, r); return nil })
	return out, err
}

// DeleteLifecyclePolicy forgets the policy.
func (a *API) DeleteLifecyclePolicy(ctx context.Context, c wire.Call, in *shape.DeleteLifecyclePolicyRequest) (*shape.DeleteLifecyclePolicyResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &shape.DeleteLifecyclePolicyResponse{RegistryId: &r.Account, RepositoryName: &r.Name}
	_, err = a.change(ctx, r, func(next *registry.Repository) error {
		if next.Lifecycle == "" {
			return next.NoLifecycle()
		}
		out.LifecyclePolicyText, next.Lifecycle = aws.Ptr(next.Lifecycle), ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = a.store.View(ctx, store.Any, func(tx store.Tx) error { out.LastEvaluatedAt = evaluated(tx, r); return nil })
	return out, err
}

// StartLifecyclePolicyPreview keeps the policy whose effect is asked for: the given one, or the repository's.
func (a *API) StartLifecyclePolicyPreview(ctx context.Context, c wire.Call, in *shape.StartLifecyclePolicyPreviewRequest) (*shape.StartLifecyclePolicyPreviewResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text := aws.Val(in.LifecyclePolicyText)
	if text == "" {
		text = r.Lifecycle
	}
	if text == "" {
		return nil, r.NoLifecycle()
	}
	if _, err := parsePolicy(text); err != nil {
		return nil, err
	}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		if _, err := tables.Repository(tx, r.Home, r.Name); err != nil {
			return err
		}
		tables.Previews.Put(tx, &registry.Preview{Home: r.Home, Repository: r.ID, Policy: text, At: tx.Now()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &shape.StartLifecyclePolicyPreviewResponse{LifecyclePolicyText: &text, RegistryId: &r.Account, RepositoryName: &r.Name,
		Status: aws.Ptr(shape.LifecyclePolicyPreviewStatusInProgress)}, nil
}

// GetLifecyclePolicyPreview answers what the policy would expire of the images there are now, at the time it was started.
func (a *API) GetLifecyclePolicyPreview(ctx context.Context, c wire.Call, in *shape.GetLifecyclePolicyPreviewRequest) (*shape.GetLifecyclePolicyPreviewResponse, error) {
	r, err := a.repository(ctx, c, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &shape.GetLifecyclePolicyPreviewResponse{RegistryId: &r.Account, RepositoryName: &r.Name, Status: aws.Ptr(shape.LifecyclePolicyPreviewStatusComplete)}
	err = a.store.View(ctx, store.Fresh, func(tx store.Tx) error {
		preview, ok := tables.Previews.Peek(tx, tables.At(r.Home).Key(r.ID))
		if !ok {
			return r.NoPreview()
		}
		policy, err := parsePolicy(preview.Policy)
		if err != nil {
			return err
		}
		expired := policy.Evaluate(tables.Aged(tx, r), preview.At)
		slices.SortFunc(expired, func(a, b lifecycle.Expired) int { return strings.Compare(a.Digest, b.Digest) })
		var status string
		if in.Filter != nil {
			status = aws.Val(in.Filter.TagStatus)
		}
		p := page(in.NextToken, in.MaxResults, "GetLifecyclePolicyPreview", r.ID, preview.At, status, in.ImageIds)
		p.Limit = 100
		rows, next, err := wire.Page(p, results(expired, status, in.ImageIds))
		out.LifecyclePolicyText, out.PreviewResults, out.NextToken = &preview.Policy, rows, next
		out.Summary = &shape.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: aws.Ptr(int32(len(expired)))}
		return err
	})
	return out, err
}

func results(expired []lifecycle.Expired, status string, ids []shape.ImageIdentifier) iter.Seq2[string, shape.LifecyclePolicyPreviewResult] {
	return func(yield func(string, shape.LifecyclePolicyPreviewResult) bool) {
		for _, e := range expired {
			wanted := len(ids) == 0 || slices.ContainsFunc(ids, func(id shape.ImageIdentifier) bool {
				return aws.Val(id.ImageDigest) == e.Digest || slices.Contains(e.Tags, aws.Val(id.ImageTag))
			})
			row := shape.LifecyclePolicyPreviewResult{
				Action:              &shape.LifecyclePolicyRuleAction{Type: aws.Ptr(shape.ImageActionTypeExpire)},
				AppliedRulePriority: aws.Ptr(e.Priority), ImageDigest: aws.Ptr(e.Digest), ImagePushedAt: aws.At(e.PushedAt), ImageTags: e.Tags,
			}
			if wanted && shows(status, len(e.Tags) > 0) && !yield(e.Digest, row) {
				return
			}
		}
	}
}
