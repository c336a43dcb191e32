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

// leastUnits of a task that asks for none, or for less. The ECS agent has 2, beside which any other task starves it; and by weights that
// small the kernel is late to let in who wakes.
const leastUnits = 128

// CPUUnits are a task's weight beside others: those of the task, else of its containers together.
func (t *Task) CPUUnits() uint64 {
	const vcpu = 1024
	if t.CPU > 0 {
		return max(uint64(t.CPU*vcpu), leastUnits)
	}
	var sum uint64
	for i := range t.Containers {
		if shares := t.Containers[i].CPUShares; shares > minShares {
			sum += shares
		}
	}
	return max(sum, leastUnits)
}
