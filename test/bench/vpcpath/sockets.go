package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// pinned runs f on a thread of its own, in a namespace, on one processor and before everything else there: where the scheduler puts the ends
// of a connection, and what else runs, makes more difference than what is measured.
func pinned[T any](path string, cpu int, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with its goroutine
		v, err := func() (v T, err error) {
			ns, err := netns.GetFromPath(path)
			if err != nil {
				return v, fmt.Errorf("open %s: %w", path, err)
			}
			defer func() { _ = ns.Close() }()
			if err := netns.Set(ns); err != nil {
				return v, fmt.Errorf("enter %s: %w", path, err)
			}
			if err := pin(cpu); err != nil {
				return v, err
			}
			return f()
		}()
		done <- result{v, err}
	}()
	r := <-done
	return r.v, r.err
}

func pin(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu % runtime.NumCPU())
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin: %w", err)
	}
	a := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 10}
	if err := unix.SchedSetAttr(0, a, 0); err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	return nil
}

func sockaddr(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// serve accepts at port 80 for ever.
func serve(path string) error {
	ready := make(chan error, 1)
	go func() {
		_, err := pinned(path, 1, func() (struct{}, error) {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err == nil {
				err = unix.Bind(fd, &unix.SockaddrInet4{Port: 80})
			}
			if err == nil {
				err = unix.Listen(fd, 1024)
			}
			ready <- err
			for err == nil {
				var c int
				if c, _, err = unix.Accept(fd); err == nil {
					answer(c)
				}
			}
			return struct{}{}, err
		})
		if err != nil {
			ready <- err
		}
	}()
	return <-ready
}

// answer sends back every byte, and one for each full piece of what begins with 's', until the client ends the connection: who ends one first
// is left with its port for a minute.
func answer(c int) {
	defer func() { _ = unix.Close(c) }()
	_ = unix.SetsockoptInt(c, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	b := make([]byte, 1<<18)
	sink, had := false, 0
	for {
		n, err := unix.Read(c, b)
		if err != nil || n == 0 {
			return
		}
		if sink = sink || b[0] == 's'; !sink {
			_, _ = unix.Write(c, b[:n])
			continue
		}
		if had += n; had >= piece {
			had -= piece
			_, _ = unix.Write(c, b[:1])
		}
	}
}

// connect opens a connection that leaves nothing behind when it is closed: no port that waits, so that ten thousands can follow. What it
// sends is not paced, so that what is measured is the path and not what the congestion control thinks of it.
func connect(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	err = unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic")
	if err == nil {
		err = unix.Connect(fd, sockaddr(to))
	}
	if err != nil {
		_ = unix.Close(fd)
		return 0, fmt.Errorf("connect to %s: %w", to, err)
	}
	return fd, nil
}

// work is something a client does over and over; it answers how long one took.
type work func(to netip.AddrPort) (time.Duration, error)

const (
	piece     = 64 << 20
	exchanges = 500
	connects  = 200
)

// stream sends a piece and waits until all of it arrived.
func stream(fd int) (time.Duration, error) {
	b := make([]byte, 1<<17)
	b[0] = 's'
	began := time.Now()
	for sent := 0; sent < piece; {
		n, err := unix.Write(fd, b)
		if err != nil {
			return 0, fmt.Errorf("write: %w", err)
		}
		sent += n
	}
	_, err := unix.Read(fd, b[:1])
	return time.Since(began), err
}

// requests asks and waits for an answer of a byte each.
func requests(fd int) (time.Duration, error) {
	b := []byte{'r'}
	began := time.Now()
	for range exchanges {
		if err := exchange(fd, b); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / exchanges, nil
}

func exchange(fd int, b []byte) error {
	if _, err := unix.Write(fd, b); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if _, err := unix.Read(fd, b); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// kept has one connection for all calls, which end ends: a server has one at a time.
func kept(do func(fd int) (time.Duration, error)) (w work, end func()) {
	fd := -1
	w = func(to netip.AddrPort) (time.Duration, error) {
		if fd < 0 {
			var err error
			if fd, err = connect(to); err != nil {
				return 0, err
			}
		}
		return do(fd)
	}
	return w, func() { _ = unix.Close(fd) }
}

// connections waits for the server each time: one that falls behind would have its queue overflow, and the client wait a second.
func connections(to netip.AddrPort) (time.Duration, error) {
	b := []byte{'r'}
	began := time.Now()
	for range connects {
		fd, err := connect(to)
		if err != nil {
			return 0, err
		}
		err = exchange(fd, b)
		_ = unix.Close(fd)
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began) / connects, nil
}
