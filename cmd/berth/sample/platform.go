package sample

import "runtime"

// platform is the image's: berth and the sample program are built for the same one.
func platform() (system, architecture string) { return runtime.GOOS, runtime.GOARCH }
