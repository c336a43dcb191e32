package nodeproc

import (
	"errors"

	"golang.org/x/sys/unix"

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

// memoryForOne is how much memory a machine must have for each sandbox that is kept ready.
const memoryForOne = 2 << 30

// sandboxesAhead is how many sandboxes are kept ready on a machine of so much memory.
func sandboxesAhead(wanted int, memory uint64) int {
	return min(wanted, int(memory/memoryForOne))
}

// machineMemory is 0 when the kernel does not say.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return info.Totalram * uint64(info.Unit)
}
