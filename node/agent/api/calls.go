package api

import (
	"context"

	"github.com/berth-ecs/berth/internal/failpoint"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// RegisterContainerInstance registers the node. token makes a repeated call the same call.
func (c *Client) RegisterContainerInstance(ctx context.Context, token string, in *shape.RegisterContainerInstanceRequest) (*shape.ContainerInstance, error) {
	withToken := *in
	withToken.ClientToken = &token
	defer failpoint.Around(failpoint.Register)()
	out, err := call(ctx, c, shape.OpRegisterContainerInstance, &withToken)
	if err != nil {
		return nil, err
	}
	if out.ContainerInstance == nil {
		return &shape.ContainerInstance{}, nil
	}
	return out.ContainerInstance, nil
}

// CreateCluster makes a cluster; one of that name may be there already.
func (c *Client) CreateCluster(ctx context.Context, name string) error {
	_, err := call(ctx, c, shape.OpCreateCluster, &shape.CreateClusterRequest{ClusterName: &name})
	return err
}

// Endpoints are where a server takes an agent's two web sockets.
type Endpoints struct{ ACS, TCS string }

// DiscoverPollEndpoint asks where the web sockets are.
func (c *Client) DiscoverPollEndpoint(ctx context.Context, cluster, instance string) (Endpoints, error) {
	out, err := call(ctx, c, shape.OpDiscoverPollEndpoint, &shape.DiscoverPollEndpointRequest{Cluster: &cluster, ContainerInstance: &instance})
	if err != nil {
		return Endpoints{}, err
	}
	return Endpoints{ACS: aws.Val(out.Endpoint), TCS: aws.Val(out.TelemetryEndpoint)}, nil
}

// SubmitTaskStateChange reports what became of a task.
func (c *Client) SubmitTaskStateChange(ctx context.Context, in *shape.SubmitTaskStateChangeRequest) error {
	_, err := call(ctx, c, shape.OpSubmitTaskStateChange, in)
	return err
}

// ListTagsForResource answers the tags of a task or a container instance.
func (c *Client) ListTagsForResource(ctx context.Context, arn string) (map[string]string, error) {
	out, err := call(ctx, c, shape.OpListTagsForResource, &shape.ListTagsForResourceRequest{ResourceArn: &arn})
	if err != nil {
		return nil, err
	}
	tags := make(map[string]string, len(out.Tags))
	for _, t := range out.Tags {
		tags[aws.Val(t.Key)] = aws.Val(t.Value)
	}
	return tags, nil
}

// GetTaskProtection asks for a task's protection from scale-in.
func (c *Client) GetTaskProtection(ctx context.Context, in *shape.GetTaskProtectionRequest) (*shape.GetTaskProtectionResponse, error) {
	return call(ctx, c, shape.OpGetTaskProtection, in)
}

// UpdateTaskProtection changes a task's protection from scale-in.
func (c *Client) UpdateTaskProtection(ctx context.Context, in *shape.UpdateTaskProtectionRequest) (*shape.UpdateTaskProtectionResponse, error) {
	return call(ctx, c, shape.OpUpdateTaskProtection, in)
}
