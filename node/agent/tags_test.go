package agent

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/node/metadata"
	aws "github.com/berth-ecs/berth/wire/shape"
)

func TestTagErrorTellsTheServersWordsOnly(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want metadata.Error
	}{
		"the server's": {
			fmt.Errorf("api: %w", &aws.Error{Code: "AccessDeniedException", Message: "no"}),
			metadata.Error{ErrorField: "TaskTags", ErrorCode: "AccessDeniedException", ErrorMessage: "no", ResourceARN: "arn"},
		},
		"the node's": {
			errors.New("dial 10.0.0.1: refused"),
			metadata.Error{ErrorField: "TaskTags", ErrorCode: "ServerException", ErrorMessage: "the tags cannot be had now", ResourceARN: "arn"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, tagError("TaskTags", "arn", test.err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
