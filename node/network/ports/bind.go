package ports

import (
	"io"

	"golang.org/x/sys/unix"
)

// socket is a raw descriptor that keeps a port; nothing ever reads from it.
type socket int

func (s socket) Close() error { return unix.Close(int(s)) }

// Bind keeps a host port from every other program, also when that one asks for SO_REUSEADDR: therefore a TCP socket
// has to listen. No connection arrives at it, because the port map rewrites packets before sockets are looked up.
func Bind(k Key) (io.Closer, error) {
	kind := unix.SOCK_STREAM
	if k.Proto == UDP {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if k.Proto == TCP {
		// Without it, connections of an earlier holder that linger in TIME_WAIT would look like a conflict.
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: k.Port})
	}
	if err == nil && k.Proto == TCP {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return socket(fd), nil
}
