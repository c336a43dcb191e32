// Command berth turns Linux machines into an Amazon ECS region.
//
// Guarantees:
//
//   - Every setting is a flag, an environment variable and a key of the file under one name (see internal/config).
//   - `berth up` may be called at any time: it starts what does not run and leaves alone what does.
//   - Exit status 0 means done, 1 that it failed and standard error says why, 2 that the command line is wrong.
package main

//go:generate ../../hack/coverage.sh

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, invocation{
		args: os.Args[1:], environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr,
		parts: wiredParts(), exit: os.Exit,
	}))
}
