// Package engine is the task engine: it brings every task a server gave this node to what is wanted of it.
//
// What is guaranteed:
//
//   - Next is the only place that decides what happens to a container. It is pure: from what is wanted and what is
//     known to one action. The Engine carries actions out and feeds their results back.
//   - A container is started at most once, and once more for every time its restart policy says so. The decision to start
//     is on disk before the start; what ran and is gone is reported as gone, never started again. A stopped task never
//     starts again and always has an exit code or a reason.
//   - A restart needs no server and asks none: the task runs on, and the server hears how often and when, as of all else.
//   - Nothing is acknowledged, started or deleted before the record that says so is on disk: a task's payload before
//     its first container starts, an exit before its container is deleted. Writing goes on beside the preparation.
//   - Killing this process touches no container. Open rebuilds everything from the records, the containers and the
//     endpoints that are really there, and sweeps what nobody asked for.
//   - A task is reported STOPPED only when its host ports are free again and its containers' output is on disk.
//   - What was not acknowledged by the server is derived from the records, so a report survives a restart.
package engine
