package netspace

import (
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dumpTries: the kernel asks for another try when its tables changed during a dump.
const dumpTries = 50

// Dump reads something of the kernel, again when it changed meanwhile.
func Dump[T any](dump func() (T, error)) (out T, err error) {
	for range dumpTries {
		out, err = dump()
		if !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return out, err
		}
	}
	return out, err
}
