package launch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/ecs"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Needs is what a task of the definition holds of its node from PENDING to STOPPED: the task's own CPU and memory where it has them, else
// the sum of its containers' (memoryReservation where there is one, else memory), and its static host ports.
func Needs(def *shape.TaskDefinition, o *shape.TaskOverride) (ecs.Amounts, error) {
	out := ecs.Amounts{Tasks: 1}
	for i := range def.ContainerDefinitions {
		c := &def.ContainerDefinitions[i]
		l := limitsOf(c, override(o, aws.Val(c.Name)))
		out.CPU += int64(l.cpu)
		out.MemoryMiB += int64(l.reserved())
		out.TCP, out.UDP = hostPorts(def, c, out.TCP, out.UDP)
	}
	slices.Sort(out.TCP)
	slices.Sort(out.UDP)
	out.TCP, out.UDP = slices.Compact(out.TCP), slices.Compact(out.UDP)
	if err := taskLevel(&out.CPU, first(o.Cpu, def.Cpu), "cpu", cpuUnits); err != nil {
		return ecs.Amounts{}, err
	}
	return out, taskLevel(&out.MemoryMiB, first(o.Memory, def.Memory), "memory", memoryMiB)
}

// storage is the ephemeral storage of a task on FARGATE, in GiB.
func storage(wish *shape.EphemeralStorage) int64 {
	if wish == nil {
		return ecs.DefaultStorageGiB
	}
	return int64(aws.Val(wish.SizeInGiB))
}

func taskLevel(n *int64, s *string, field string, parse func(string) (int64, error)) error {
	if aws.Val(s) == "" {
		return nil
	}
	v, err := parse(*s)
	if err != nil {
		return fmt.Errorf("%s %q of the task: %w", field, *s, err)
	}
	*n = v
	return nil
}

// limits are a container's, overrides merged.
type limits struct{ cpu, memory, reservation int32 }

func (l limits) reserved() int32 {
	if l.reservation > 0 {
		return l.reservation
	}
	return l.memory
}

func limitsOf(c *shape.ContainerDefinition, o shape.ContainerOverride) limits {
	return limits{
		cpu:         aws.Val(first(o.Cpu, c.Cpu)),
		memory:      aws.Val(first(o.Memory, c.Memory)),
		reservation: aws.Val(first(o.MemoryReservation, c.MemoryReservation)),
	}
}

// override is the override of a container, empty when there is none.
func override(o *shape.TaskOverride, container string) shape.ContainerOverride {
	for _, c := range o.ContainerOverrides {
		if aws.Val(c.Name) == container {
			return c
		}
	}
	return shape.ContainerOverride{}
}

func first[T any](ps ...*T) *T {
	for _, p := range ps {
		if p != nil {
			return p
		}
	}
	return nil
}

// hostPorts adds the static host ports of a container. In host mode a container's port is the node's; in bridge mode port 0 and ranges are
// picked by the node; the other modes have no host ports.
func hostPorts(def *shape.TaskDefinition, c *shape.ContainerDefinition, tcp, udp []int) ([]int, []int) {
	mode := aws.Val(def.NetworkMode)
	for _, m := range c.PortMappings {
		port := aws.Val(m.HostPort)
		switch mode {
		case shape.NetworkModeHost:
			if port == 0 {
				port = aws.Val(m.ContainerPort)
			}
		case shape.NetworkModeBridge, "":
		default:
			continue
		}
		switch {
		case port == 0:
		case aws.Val(m.Protocol) == shape.TransportProtocolUdp:
			udp = append(udp, int(port))
		default:
			tcp = append(tcp, int(port))
		}
	}
	return tcp, udp
}

// cpuUnits reads "1024" or "1 vCPU".
func cpuUnits(s string) (int64, error) {
	number, isVCPU := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), "vcpu")
	if !isVCPU {
		return units(number, 1)
	}
	return units(number, 1024)
}

// memoryMiB reads "2048" or "2 GB".
func memoryMiB(s string) (int64, error) {
	number, isGB := strings.CutSuffix(strings.ToLower(strings.TrimSpace(s)), "gb")
	if !isGB {
		return units(number, 1)
	}
	return units(number, 1024)
}

func units(s string, each float64) (int64, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || f < 0 || f*each > 1<<40 || f*each != float64(int64(f*each)) {
		return 0, errors.New("it must be a whole number of units, or a number of vCPU or GB")
	}
	return int64(f * each), nil
}
