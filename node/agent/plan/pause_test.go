package plan

import (
	"testing"

	"github.com/berth-ecs/berth/node/runtime"
	"github.com/berth-ecs/berth/session"
)

func TestThePauseImageHasOneName(t *testing.T) {
	if session.PauseImage != runtime.PauseImage {
		t.Errorf("%q, to the runtime %q", session.PauseImage, runtime.PauseImage)
	}
}
