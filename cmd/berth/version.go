package main

import (
	"fmt"
	"runtime"
)

// version is stamped by the build (-ldflags -X main.version).
var version = "devel"

type versionCommand struct{}

func (versionCommand) Run(a *app) error {
	_, err := fmt.Fprintf(a.stdout, "berth %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
