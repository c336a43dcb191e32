// Package background starts, finds and stops the one region process of an installation.
//
// Guarantees:
//
//   - At most one process holds an installation's pid file. It holds it by a kernel lock, not by the file's existence, so
//     a kill -9, a reboot or a reused process id never leaves a region that only seems to run.
//   - Start returns a process of its own session: it outlives the caller and the terminal.
//   - Stop returns when the process is gone, not when it was asked to go.
package background
