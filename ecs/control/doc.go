// Package control runs the loops of the ECS wing: services become what the API wants, instances that are gone give up their tasks, and
// what is over is forgotten in time.
//
// Guarantees:
//
//   - Loops run on the leader only, inside store.Lead, and every write carries its guard.
//   - A loop acts on a snapshot and compares what it acted on: each step of a service compares and writes the service's status, so that
//     two leaders at the turn of leadership never act both on the same plan.
//   - Nothing is polled: changes, failures and due times are what starts work. A task that had no place is tried again when something was
//     given back, an instance came, or its agent did.
//   - Each transaction is bounded; what does not fit waits for the next.
package control
