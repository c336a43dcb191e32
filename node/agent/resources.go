package agent

import (
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// resources are what the node has for tasks.
func (a *Agent) resources() ([]shape.Resource, error) {
	cpu, memory := a.cfg.CPU, a.cfg.MemoryMiB
	if cpu == 0 {
		cpu = int64(goruntime.NumCPU()) * 1024
	}
	if memory == 0 {
		total, err := machineMemory()
		if err != nil {
			return nil, err
		}
		memory = total
	}
	if memory -= a.cfg.ReservedMemoryMiB; memory <= 0 {
		return nil, fmt.Errorf("agent: Config.ReservedMemoryMiB %d leaves no memory for tasks", a.cfg.ReservedMemoryMiB)
	}
	out := []shape.Resource{
		integer("CPU", cpu), integer("MEMORY", memory), set("PORTS", a.cfg.ReservedPorts), set("PORTS_UDP", []string{}),
	}
	if a.cfg.Interfaces != nil && a.cfg.Fargate {
		out = append(out, integer("EPHEMERAL_STORAGE", a.cfg.StorageGiB))
	}
	return out, nil
}

func integer(name string, n int64) shape.Resource {
	return shape.Resource{Name: aws.Ptr(name), Type: aws.Ptr("INTEGER"), IntegerValue: aws.Ptr(int32(n))}
}

func set(name string, values []string) shape.Resource {
	return shape.Resource{Name: aws.Ptr(name), Type: aws.Ptr("STRINGSET"), StringSetValue: values}
}

// machineMemory is MemTotal in MiB.
func machineMemory() (int64, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("agent: memory: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "MemTotal:" {
			continue
		}
		kib, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("agent: memory: %w", err)
		}
		return kib / 1024, nil
	}
	return 0, errors.New("agent: memory: /proc/meminfo has no MemTotal")
}

// bootID differs after the machine started anew.
func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("agent: boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
