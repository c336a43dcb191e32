// Package hosts makes several machines of one, for tests: each host is a network namespace on a bridge that is a namespace too, with directories,
// an installation name, a cgroup parent and, for a node, a containerd of its own. Programs are those built from this tree, on the real kernel.
//
// Links can be cut and made slow or lossy, processes killed, hosts lost with their disks. Whatever a test does, even when it is killed itself, everything of it is
// gone when it ends or when the next one begins; a test fails when something stays.
package hosts
