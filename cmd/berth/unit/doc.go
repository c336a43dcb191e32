// Package unit writes the files with which systemd supervises a server, a node, or both as one process (pure).
//
// Guarantees:
//
//   - Stopping or restarting a node's unit ends the node's process alone: containers, their shims, containerd and hold go on.
//   - A unit counts as started when its process says that it is ready, so that restarting one server after the other keeps most of them.
//   - A server's process can write below its directories only and has no capability but that of ports below 1024.
//   - Nothing that a container would inherit is set for a node: no limit of privileges, no name space, no score for the kernel's killer.
package unit
