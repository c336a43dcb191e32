package ecsapi

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestWhatDoesNotFitATransactionIsTheCallersToMend(t *testing.T) {
	h := guard(func(context.Context, wire.Call, *shape.RunTaskRequest) (*shape.RunTaskResponse, error) {
		return nil, fmt.Errorf("run: %w", store.ErrTooLarge)
	})
	_, err := h(t.Context(), wire.Call{Operation: "RunTask"}, &shape.RunTaskRequest{})
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != shape.CodeInvalidParameterException {
		t.Errorf("got %v", err)
	}
}
