package runtime

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
)

// Names of failures, as the ECS agent reports them.
const (
	CannotPullContainerError     = "CannotPullContainerError"
	CannotPullECRContainerError  = "CannotPullECRContainerError"  // no login
	CannotPullImageManifestError = "CannotPullImageManifestError" // a tag that could not be resolved
	CannotCreateContainerError   = "CannotCreateContainerError"
	CannotStartContainerError    = "CannotStartContainerError"
	CannotStopContainerError     = "CannotStopContainerError"
	CannotInspectContainerError  = "CannotInspectContainerError"
	CannotGetDockerClientError   = "CannotGetDockerClientError"
	OutOfMemoryError             = "OutOfMemoryError"
	ResourceInitializationError  = "ResourceInitializationError"
)

// OutOfMemoryMessage is the ECS agent's sentence beside OutOfMemoryError.
const OutOfMemoryMessage = "Container killed due to memory usage"

// Error is a failure as the ECS agent would report it: Name is the agent's,
// Message containerd's words.
type Error struct {
	Name, Message string
	err           error
}

func (e *Error) Error() string { return e.Name + ": " + e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.err }

// ErrNotFound is wrapped by errors about a container or task the runtime does not have.
var ErrNotFound = errors.New("not found")

// named gives err the agent's name, unless it already has one or is nil.
func named(name string, err error) error {
	if e := (*Error)(nil); err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Name: name, Message: err.Error(), err: err}
}

func notFound(id string) error { return fmt.Errorf("container %q: %w", id, ErrNotFound) }

// Unavailable says that err is no answer: containerd was away. What was asked may be asked again.
func Unavailable(err error) bool { return errdefs.IsUnavailable(err) }
