package nodeproc

import (
	"github.com/berth-ecs/berth/internal/disk"
	"github.com/berth-ecs/berth/node/runtime"
)

// storageGiB is how much of the disk the node registers for the ephemeral storage of FARGATE tasks; nothing where that cannot be held to a size.
func storageGiB(c Config) (int64, error) {
	s := c.Settings
	if !s.Fargate {
		return 0, nil
	}
	if err := runtime.CanStore(); err != nil {
		c.Log.Warn("no FARGATE task can run here: their storage cannot be held to its size", "error", err)
		return 0, nil
	}
	size, err := disk.Size(s.DataDir)
	return s.StorageGiB(size), err
}
