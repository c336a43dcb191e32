// Package ecs is the wing of Amazon ECS: the records of clusters, container
// instances, task definitions, tasks and services, and the rules that hold
// between them.
//
// Guarantees:
//
//   - It does no I/O and knows no clock, no randomness, no goroutine: time and
//     identifiers are inputs. The same input gives the same output.
//   - A record is immutable once it is stored. Code that changes one copies it.
//   - Every field of a record has one writer, and records are split along that
//     line: what the API wants, what a loop decided and what a node reported are
//     different records, so two writers never conflict on one key.
//   - Counts (runningCount, pendingTasksCount, ...) are derived when an answer is
//     rendered and never stored.
//
// The writers:
//
//	record            written by
//	Cluster           API
//	Instance          the agent's registration (API)
//	InstanceState     API (status), session (presence)
//	Ledger            whoever places or ends a task, in the same transaction
//	TaskDefinition    API
//	Task              whoever launches it, once
//	TaskDesired       API and the service loop
//	TaskStatus        the node's reports and telemetry
//	TaskTags          API
//	TaskProtection    API
//	Service           API
//	ServiceStatus     the service loop
//	ServiceEvent      the service loop, once each
//	ServiceRevision   API, once
//	ServiceDeployment API, once; its ...Stop API, its ...Status the service loop
//	AccountSetting    API
package ecs
