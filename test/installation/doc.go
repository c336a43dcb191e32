// Package installation runs a berth of its own for tests: real processes of the program built from this tree, on the real
// kernel and containerd, under a name, directories, ports and a subnet that nothing else on the machine has.
//
// Guarantees: whatever a test did to it, even killing its parts, everything of it is gone when the test ends, and the test
// fails when something stays; several installations run side by side.
package installation
