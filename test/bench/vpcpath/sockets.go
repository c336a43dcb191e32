package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// pinned runs f on a thread of its own, in a namespace and on one processor: a scheduler that moves the ends of a connection about makes
// more difference than what is measured.
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
			var set unix.CPUSet
			set.Set(cpu % runtime.NumCPU())
			if err := unix.SchedSetaffinity(0, &set); err != nil {
				return v, fmt.Errorf("pin: %w", err)
			}
			return f()
		}()
		done <- result{v, err}
	}()
	r := <-done
	return r.v, r.err
}

func sockaddr(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// serve accepts for ever: what is sent is read and answered with a byte when the first byte is 's' and at its end, else byte by byte.
func serve(path string, port int) error {
	ready := make(chan error, 1)
	go func() {
		_, err := pinned(path, 1, func() (struct{}, error) {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err == nil {
				err = unix.Bind(fd, &unix.SockaddrInet4{Port: port})
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

func answer(c int) {
	defer func() { _ = unix.Close(c) }()
	_ = unix.SetsockoptInt(c, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	b := make([]byte, 1<<18)
	for first, sink := true, false; ; first = false {
		n, err := unix.Read(c, b)
		if err != nil {
			return
		}
		sink = sink || first && n > 0 && b[0] == 's'
		if n == 0 {
			_, _ = unix.Write(c, b[:1])
			return
		}
		if !sink {
			_, _ = unix.Write(c, b[:n])
		}
	}
}

// connect opens a connection that leaves no trace when it is closed.
func connect(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("socket: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	if err := unix.Connect(fd, sockaddr(to)); err != nil {
		_ = unix.Close(fd)
		return 0, fmt.Errorf("connect to %s: %w", to, err)
	}
	return fd, nil
}

// work is something a client does; it answers how long.
type work func(to netip.AddrPort) (time.Duration, error)

const (
	streamed  = 512 << 20
	exchanges = 4000
	connects  = 1000
)

func stream(to netip.AddrPort) (time.Duration, error) {
	fd, err := connect(to)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	b := make([]byte, 1<<17)
	b[0] = 's'
	began := time.Now()
	for sent := 0; sent < streamed; {
		n, err := unix.Write(fd, b)
		if err != nil {
			return 0, fmt.Errorf("write: %w", err)
		}
		sent += n
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		return 0, fmt.Errorf("shutdown: %w", err)
	}
	_, err = unix.Read(fd, b[:1])
	return time.Since(began), err
}

func requests(to netip.AddrPort) (time.Duration, error) {
	fd, err := connect(to)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	b := []byte{'r'}
	began := time.Now()
	for range exchanges {
		if _, err := unix.Write(fd, b); err != nil {
			return 0, fmt.Errorf("write: %w", err)
		}
		if _, err := unix.Read(fd, b); err != nil {
			return 0, fmt.Errorf("read: %w", err)
		}
	}
	return time.Since(began) / exchanges, nil
}

// connections waits for the server each time: one that falls behind would have its queue overflow, and the client wait a second.
func connections(to netip.AddrPort) (time.Duration, error) {
	b := make([]byte, 1)
	began := time.Now()
	for range connects {
		fd, err := connect(to)
		if err != nil {
			return 0, err
		}
		if err = unix.Shutdown(fd, unix.SHUT_WR); err == nil {
			_, err = unix.Read(fd, b)
		}
		_ = unix.Close(fd)
		if err != nil {
			return 0, fmt.Errorf("wait for the server: %w", err)
		}
	}
	return time.Since(began) / connects, nil
}
