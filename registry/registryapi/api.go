// Package registryapi answers the operations of Amazon ECR.
//
// Guarantees:
//
//   - An operation that changes something does so in one transaction of the store, or in several that can each be repeated.
//   - A read sees everything that any server acknowledged before the call.
//   - Every parameter is honoured or refused with an error that names it: Refusals lists what is refused.
//   - Errors carry ECR's codes and sentences.
//   - Whether the caller may is asked by package wire before a handler runs.
package registryapi

import (
	"context"
	"fmt"

	"github.com/berth-ecs/berth/registry"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// Config is what an API needs.
type Config struct {
	Shelf *shelf.Shelf // required
	// Endpoint is where the OCI protocol is served, such as http://127.0.0.1:4566; layers are downloaded there.
	Endpoint string // required
}

// API holds the handlers.
type API struct {
	shelf    *shelf.Shelf
	store    store.Store
	endpoint string
}

// New makes an API.
func New(c Config) *API {
	a := &API{shelf: c.Shelf, endpoint: c.Endpoint}
	if c.Shelf != nil {
		a.store = c.Shelf.Store
	}
	return a
}

// Bind binds every operation that is served.
func (a *API) Bind(m *wire.Mux) {
	bind(m, shape.OpCreateRepository, a.CreateRepository)
	bind(m, shape.OpDescribeRepositories, a.DescribeRepositories)
	bind(m, shape.OpDeleteRepository, a.DeleteRepository)
	bind(m, shape.OpPutImageTagMutability, a.PutImageTagMutability)
	bind(m, shape.OpPutImageScanningConfiguration, a.PutImageScanningConfiguration)
	bind(m, shape.OpDescribeRegistry, a.DescribeRegistry)

	bind(m, shape.OpGetAuthorizationToken, a.GetAuthorizationToken)

	bind(m, shape.OpDescribeImages, a.DescribeImages)
	bind(m, shape.OpListImages, a.ListImages)
	bind(m, shape.OpBatchGetImage, a.BatchGetImage)
	bind(m, shape.OpBatchDeleteImage, a.BatchDeleteImage)
	bind(m, shape.OpPutImage, a.PutImage)

	bind(m, shape.OpBatchCheckLayerAvailability, a.BatchCheckLayerAvailability)
	bind(m, shape.OpInitiateLayerUpload, a.InitiateLayerUpload)
	bind(m, shape.OpUploadLayerPart, a.UploadLayerPart)
	bind(m, shape.OpCompleteLayerUpload, a.CompleteLayerUpload)
	bind(m, shape.OpGetDownloadUrlForLayer, a.GetDownloadUrlForLayer)

	bind(m, shape.OpPutLifecyclePolicy, a.PutLifecyclePolicy)
	bind(m, shape.OpGetLifecyclePolicy, a.GetLifecyclePolicy)
	bind(m, shape.OpDeleteLifecyclePolicy, a.DeleteLifecyclePolicy)
	bind(m, shape.OpStartLifecyclePolicyPreview, a.StartLifecyclePolicyPreview)
	bind(m, shape.OpGetLifecyclePolicyPreview, a.GetLifecyclePolicyPreview)

	bind(m, shape.OpSetRepositoryPolicy, a.SetRepositoryPolicy)
	bind(m, shape.OpGetRepositoryPolicy, a.GetRepositoryPolicy)
	bind(m, shape.OpDeleteRepositoryPolicy, a.DeleteRepositoryPolicy)

	bind(m, shape.OpTagResource, a.TagResource)
	bind(m, shape.OpUntagResource, a.UntagResource)
	bind(m, shape.OpListTagsForResource, a.ListTagsForResource)
}

// bind binds an operation, refusing first what no part serves.
func bind[In, Out any](m *wire.Mux, op aws.Operation[In, Out], h wire.Handler[In, Out]) {
	wire.Handle(m, op, func(ctx context.Context, c wire.Call, in *In) (*Out, error) {
		if err := refuse(op.Info.Name, in); err != nil {
			return nil, err
		}
		return h(ctx, c, in)
	})
}

// home is the registry that a request is about: the caller's own. Another account's needs a policy that allows it, and
// none is asked yet.
func home(c wire.Call, registryID, name *string) (registry.Home, error) {
	h := registry.Home{Account: c.Account, Region: c.Region}
	if id := aws.Val(registryID); id != "" && id != c.Account {
		other := registry.Home{Account: id, Region: c.Region}
		return h, &aws.Error{Code: "AccessDeniedException", Message: fmt.Sprintf(
			"User: %s is not authorized to perform: ecr:%s on resource: %s because no resource-based policy allows the ecr:%s action",
			c.Principal, c.Operation, other.RepositoryARN(aws.Val(name)), c.Operation)}
	}
	return h, nil
}

// repository answers the repository that a request names.
func (a *API) repository(ctx context.Context, c wire.Call, registryID, name *string) (*registry.Repository, error) {
	h, err := home(c, registryID, name)
	if err != nil {
		return nil, err
	}
	if !registry.ValidName(aws.Val(name)) {
		return nil, badName(aws.Val(name))
	}
	return a.shelf.Repository(ctx, h, aws.Val(name))
}

func badName(name string) error {
	return registry.Invalid("repositoryName", "'%s' must be 2 to 256 lower-case letters, digits and separators", name)
}
