package runtime

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
	Behaviour          Behaviour
	TaskID             string // optional: the task whose lease keeps the image until Release
}
