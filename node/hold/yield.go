package hold

import "golang.org/x/sys/unix"

// niceness of hold: about a third of an ordinary process's weight. A container that prints flat out waits for hold, and nobody else
// has to.
const niceness = 5

// yield makes the process, which is the first of a group of its own, give way to others. Its threads are all in that group.
func yield(c Config) {
	if unix.Getpgrp() != unix.Getpid() {
		return // somebody's child in a group with others
	}
	if err := unix.Setpriority(unix.PRIO_PGRP, 0, niceness); err != nil {
		c.Log.Warn("hold keeps the priority it was started with", "error", err)
	}
}
