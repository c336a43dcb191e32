package runtime

import (
	"context"

	"github.com/berth-ecs/berth/node/runtime/prune"
	"github.com/berth-ecs/berth/node/runtime/registry"
)

// Image is a pulled image: what a container needs of it.
type Image struct {
	Ref     string // as it was asked for
	Digest  string // of the manifest or index the reference named
	ChainID string // the snapshot its containers start from

	EntryPoint, Cmd, Env []string
	User, WorkingDir     string
	StopSignal           string
	Architecture         string
	Compat32             bool     // it has 32-bit programs
	Volumes              []string // declared by the image
	Exposed              []string // ports declared by the image: "80/tcp"
	SizeBytes            int64    // of the compressed layers
}

// Behaviour is when Pull asks the registry, as ECS_IMAGE_PULL_BEHAVIOR says.
type Behaviour string

// The pull behaviours.
const (
	PullDefault      Behaviour = "default"       // ask; what is cached serves when that fails
	PullAlways       Behaviour = "always"        // ask; no cached image serves
	PullOnce         Behaviour = "once"          // ask only for an image that was never pulled here
	PullPreferCached Behaviour = "prefer-cached" // ask only for an image that is not here
)

// Pull says how an image is pulled.
type Pull struct {
	Username, Password string // optional: for the registry
	// Login is asked, when the registry has to be, for how to sign in; fresh says that what it answered before was refused.
	// Optional: in place of Username and Password.
	Login     func(ctx context.Context, fresh bool) (Login, error)
	LoginAs   string // required beside Login: pulls share what they found only with those that sign in as the same
	Behaviour Behaviour
	TaskID    string // optional: the task whose lease keeps the image until Release
}

// Login is how a registry is signed in to.
type Login = registry.Login

// Prune says which images may go.
type Prune = prune.Rules

// PruneImages removes images that were pulled here and that no task has, and answers their names.
func (r *Runtime) PruneImages(ctx context.Context, p Prune) ([]string, error) {
	return prune.Node{Client: r.cd, Flying: &r.flying, Pulled: labelPulled, Task: labelTask}.Images(ctx, p)
}
