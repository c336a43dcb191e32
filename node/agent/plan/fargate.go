package plan

import "slices"

const fargate = "FARGATE"

// confine takes from a container of FARGATE what those on instances have: raw and packet sockets. Whatever they run on, it is the same.
func (b *builder) confine(c *Container) error {
	if b.task.LaunchType == fargate && !slices.Contains(c.CapDrop, netRaw) {
		c.CapDrop = append(slices.Clone(c.CapDrop), netRaw)
	}
	return nil
}

const netRaw = "NET_RAW"
