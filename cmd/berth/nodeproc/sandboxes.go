package nodeproc

import (
	"errors"

	"github.com/berth-ecs/berth/internal/config"
	"github.com/berth-ecs/berth/node/agent/plan"
)

// errNoRunsc is what a node says that is to have sandboxes and cannot.
var errNoRunsc = errors.New("fargate-runtime is runsc, but gVisor is not installed in bin-dir: make sandbox installs it; " +
	"fargate-runtime=auto runs FARGATE tasks on runc without it")

// sandboxes decides which tasks get a gVisor sandbox here.
func sandboxes(s config.Settings, installed bool) (plan.Sandboxes, error) {
	switch {
	case s.FargateRuntime == "runsc" && !installed:
		return plan.NoSandboxes, errNoRunsc
	case !installed:
		return plan.NoSandboxes, nil
	case s.FargateRuntime == "runc":
		return plan.AskedSandboxes, nil
	}
	return plan.AllSandboxes, nil
}
