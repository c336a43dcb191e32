// Package plan turns a task as a payload carries it into what this node must make: containers with every value
// decided, volumes with their paths, ports, dependencies, health checks.
//
// What is guaranteed:
//
//   - The same payload and the same Node give the same plan, so a plan is never stored: it is made again from the
//     payload after a restart. Container ids are the task's id and the container's place in the payload.
//   - Nothing a payload asks for is ignored: what this node cannot do is a *Refusal that names the field.
//   - A payload that works with the public amazon-ecs-agent means the same here: dockerConfig is read as the Docker
//     Engine API's Config and HostConfig, over what the payload's own members say.
//
// Everything here is pure: no clock, no I/O.
package plan
