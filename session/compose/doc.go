// Package compose turns the records of a task into what its agent is told: the
// payload that starts or stops it, and the manifest of an instance. Pure.
//
// Guarantees: the payload of a task is a function of its Task record and its
// task definition, which never change, and of its desired status; so it can be
// composed anew after any crash and is the same. All overrides but a container's
// command are merged here, because an agent refuses them. What the task
// definition says in Docker's words travels as JSON of the Docker Engine API's
// Config and HostConfig, where the stock agent looks for it.
package compose
