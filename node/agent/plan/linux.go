package plan

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// linux decides what linuxParameters say. Agents without Docker find two of them in the payload itself.
func (b *builder) linux(c *Container) error {
	c.Init, c.ShmBytes = b.host.Init, b.host.ShmSize
	if l := b.in.LinuxParameters; l != nil {
		c.Init = c.Init || l.InitProcessEnabled
		if c.ShmBytes == 0 {
			c.ShmBytes = int64(l.SharedMemorySize) * mebi
		}
	}
	if c.ShmBytes < 0 {
		return errors.New("sharedMemorySize: must not be negative")
	}
	for _, d := range b.host.Devices {
		out := spec.Device{HostPath: d.PathOnHost, Path: d.PathInContainer, Access: d.CgroupPermissions}
		if out.Path == "" {
			out.Path = out.HostPath
		}
		if out.Access == "" {
			out.Access = "rwm"
		}
		if !filepath.IsAbs(out.HostPath) || !filepath.IsAbs(out.Path) {
			return fmt.Errorf("devices %q: must be absolute paths", out.HostPath)
		}
		c.Devices = append(c.Devices, out)
	}
	return b.swap(c)
}

// swap reads Docker's memory and swap together. Without a word on it there is none.
func (b *builder) swap(c *Container) error {
	total, memory := b.host.MemorySwap, c.MemoryMiB*mebi
	switch {
	case total < 0:
		return errors.New("hostConfig.MemorySwap: unlimited swap is not given")
	case total > 0 && memory == 0:
		return errors.New("maxSwap: You should always set the Memory limit when using Memoryswap limit")
	case total > 0 && total < memory:
		return errors.New("hostConfig.MemorySwap: Minimum memoryswap limit should be larger than memory limit")
	case total > 0:
		c.SwapMiB = (total - memory) / mebi
	}
	if s := b.host.MemorySwappiness; s != nil && *s >= 0 { // Docker's -1 is the machine's
		if *s > 100 {
			return fmt.Errorf("swappiness %d: must be between 0 and 100", *s)
		}
		value := uint64(*s)
		c.Swappiness = &value
	}
	return nil
}

// ShmBytes is the most that any container of the task asks for of /dev/shm.
func (t *Task) ShmBytes() (most int64) {
	for i := range t.Containers {
		most = max(most, t.Containers[i].ShmBytes)
	}
	return most
}

// SwapMiB is what all containers of a task may swap.
func (t *Task) SwapMiB() (sum int64) {
	for i := range t.Containers {
		sum += t.Containers[i].SwapMiB
	}
	return sum
}
