package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// reach is somebody who reads FIFOs, for as long as something opens them to write.
//
// gVisor's service waits for a reader when it opens the output of a container, up to half a minute and with the lock that every other request
// wants, of any container. The one who read may have gone meanwhile: a creation is carried out to its end whatever became of who wanted it.
// Once it is open the service is its own reader.
type reach []int

// reachable opens what of names is a FIFO. Close is the caller's.
func reachable(names ...string) (r reach, err error) {
	for _, name := range names {
		var is unix.Stat_t
		if name == "" || unix.Stat(name, &is) != nil || is.Mode&unix.S_IFMT != unix.S_IFIFO {
			continue // gVisor's service says what is wrong with it
		}
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			r.Close()
			return nil, err
		}
		r = append(r, fd)
	}
	return r, nil
}

// Close gives them up.
func (r reach) Close() {
	for _, fd := range r {
		_ = unix.Close(fd) // nothing was read
	}
}
