// Package faults takes away from a region what it needs, one thing at a time: room on the disk, its containerd, an image, a
// task's shim, and gives it tasks that take more than is theirs. Each test names the outcome: what goes on, what waits, what fails and
// how it says so, and that everything is well when the fault is over.
package faults
