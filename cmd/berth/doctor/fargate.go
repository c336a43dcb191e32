package doctor

import (
	"fmt"
	"strings"

	"github.com/berth-ecs/berth/internal/config"
)

// sandboxTools are what a gVisor sandbox takes.
var sandboxTools = []string{"runsc", "containerd-shim-berth-v1"}

// CanSandbox says whether a node that starts now finds what gVisor's sandboxes take.
func CanSandbox(s config.Settings) bool {
	for _, name := range sandboxTools {
		if _, ok := find(s, name); !ok {
			return false
		}
	}
	return true
}

// storage says whether FARGATE tasks can run here at all.
func storage(f Facts) []Finding {
	const check = "storage"
	switch {
	case !f.Settings.Fargate:
		return nil
	case f.StorageErr != nil:
		return finding(check, Warn, "no FARGATE task can run: "+f.StorageErr.Error(), "make install installs e2fsprogs, modprobe loop gives loop devices; or fargate=false")
	case f.DiskErr != nil: // disk says so
		return nil
	}
	return ok(check, fmt.Sprintf("FARGATE tasks hold at most %d GiB of the disk together, each 20 or what it asks for (fargate-storage)", f.Settings.StorageGiB(f.DiskSize)))
}

// proxy says whether load balancers can be here.
func proxy(f Facts) []Finding {
	if f.ProxyErr != nil {
		return finding("proxy", Warn, "no load balancers here: "+f.ProxyErr.Error(), "berth proxy install gets Envoy; start the node again then")
	}
	return ok("proxy", "Envoy "+f.Proxy+" for load balancers")
}

// fargate says what FARGATE tasks run on here.
func fargate(f Facts) []Finding {
	const check, install = "fargate", "make sandbox installs gVisor"
	var missing []string
	for _, name := range sandboxTools {
		if f.Tools[name].Path == "" {
			missing = append(missing, name)
		}
	}
	lack := strings.Join(missing, " and ") + " not found"
	switch {
	case !f.Settings.Fargate:
		return ok(check, "not offered (fargate is false)")
	case f.Settings.FargateRuntime == "runc":
		return ok(check, "tasks run on runc (fargate-runtime)")
	case len(missing) == 0:
		return ok(check, "tasks run in gVisor sandboxes: "+f.Tools["runsc"].Path)
	case f.Settings.FargateRuntime == "runsc":
		return finding(check, Fail, lack+", and fargate-runtime is runsc", install)
	}
	return ok(check, "tasks run on runc: "+lack+"; "+install)
}
