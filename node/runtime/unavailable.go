package runtime

import "github.com/containerd/errdefs"

// Unavailable says that err is no answer: containerd was away. What was asked may be asked again.
func Unavailable(err error) bool { return errdefs.IsUnavailable(err) }
