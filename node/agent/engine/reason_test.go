package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestOnlyTheStepsOwnTimeIsATimeout(t *testing.T) {
	inner := fmt.Errorf("stop the shim: %w", context.DeadlineExceeded)
	if got := reason(Create, inner); strings.Contains(got, "timed out after waiting") {
		t.Errorf("a call with a limit of its own: %s", got)
	}
	want := "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s"
	if got := reason(Create, errPatience{inner}); got != want {
		t.Errorf("the step's own time: %s, want %s", got, want)
	}
}
