// Package runtime runs the containers of a node on containerd and is the only
// package that imports it.
//
// Guarantees:
//
//   - A container outlives this process, containerd and `berth hold`: killing
//     any of them, in any order, stops no container and loses no exit code.
//   - Every verb but Start and Exec is idempotent: after a crash the caller asks
//     again and gets what it would have got.
//   - A task's limits are hard: its containers live in one parent cgroup.
//   - Release leaves nothing of a task behind, and Sweep finds what a crash left:
//     shims, snapshots, leases, sandbox records, cgroups, directories.
//   - Events never block containerd's; when some may have been missed the
//     receiver gets a Gap and lists again.
//   - Errors are *Error with the ECS agent's name for the failure and
//     containerd's words.
//
// One containerd serves one installation. Its configuration, sockets and data
// lie in the directories of Config, so several installations live side by side.
package runtime
