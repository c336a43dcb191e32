package agent

import (
	"context"
	"errors"

	"github.com/berth-ecs/berth/node/metadata"
	aws "github.com/berth-ecs/berth/wire/shape"
)

var _ metadata.TagSource = (*Agent)(nil)

// Tags implements metadata.TagSource: it asks the server, which alone knows them.
func (a *Agent) Tags(ctx context.Context, t metadata.Task) (task, instance map[string]string, errs []metadata.Error) {
	ask := func(field, arn string) map[string]string {
		if arn == "" {
			return nil
		}
		tags, err := a.api.ListTagsForResource(ctx, arn)
		if err != nil {
			errs = append(errs, tagError(field, arn, err))
		}
		return tags
	}
	return ask("TaskTags", t.TaskARN), ask("ContainerInstanceTags", a.InstanceARN()), errs
}

// tagError tells the container which tags are missing and why, without what only the node should know.
func tagError(field, arn string, err error) metadata.Error {
	out := metadata.Error{ErrorField: field, ResourceARN: arn, ErrorCode: "ServerException", ErrorMessage: "the tags cannot be had now"}
	if e := (*aws.Error)(nil); errors.As(err, &e) {
		out.ErrorCode, out.ErrorMessage = e.Code, e.Message
	}
	return out
}
