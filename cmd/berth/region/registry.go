package region

import (
	"path/filepath"

	"github.com/berth-ecs/berth/blobs"
	"github.com/berth-ecs/berth/blobs/dir"
	"github.com/berth-ecs/berth/internal/disk"
	"github.com/berth-ecs/berth/loop"
	"github.com/berth-ecs/berth/registry/control"
	"github.com/berth-ecs/berth/registry/ociapi"
	"github.com/berth-ecs/berth/registry/registryapi"
	"github.com/berth-ecs/berth/registry/shelf"
	"github.com/berth-ecs/berth/wire"
)

// registryPath is where the OCI protocol is, below the endpoint; its clients know no other.
const registryPath = "/v2/"

// images is the region's own registry.
type images struct {
	api   *registryapi.API
	oci   *ociapi.Handler
	loops *control.Loops
	own   blobs.Reader // what is on this server's disk
}

func openRegistry(c Config, r rooms) (*images, error) {
	root := filepath.Join(c.Settings.DataDir, "blobs")
	b, err := dir.Open(root, nil)
	if err != nil {
		return nil, err
	}
	log := c.Log.With("component", "registry")
	s := &shelf.Shelf{Store: r.store, Blobs: share(b, r, log)}
	loops, err := control.New(control.Config{
		Blobs: b, Retention: c.Settings.RegistryRetention, Log: log, Metrics: loop.NewMetrics(r.metrics), Removed: r.metrics,
		Pressed: func() bool {
			used, err := disk.Used(root)
			return err == nil && used >= c.Settings.DiskPressure
		},
	})
	if err != nil {
		return nil, err
	}
	return &images{
		api:   registryapi.New(registryapi.Config{Shelf: s, Endpoint: c.Settings.Endpoint()}),
		oci:   ociapi.New(ociapi.Config{Shelf: s, Authorizer: agentsToo{wire.RootOnly{}, r.store}, Log: log}),
		loops: loops,
		own:   b,
	}, nil
}
