// Command probe does in a container what a shell does not: two of it, in two containers of a task, find out what containers share.
//
//	probe serve PATH      answers on a Unix socket ("@name": an abstract one) until it is ended
//	probe dial PATH       prints what is answered there
//	probe lock PATH       locks a file and makes PATH.locked, until it is ended
//	probe trylock PATH    prints whether the file can be locked once PATH.locked is there
//	probe watch DIR       makes DIR/watching and prints whether it is told of a file that another makes
//	probe share           makes System V shared memory, until it is ended
//	probe shared          prints whether there is such memory
//	probe raw             prints whether a raw socket can be had
//	probe crowd N         prints how it goes to begin N processes that end at once, and to wait for none
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	what, arg := os.Args[1], ""
	if len(os.Args) > 2 {
		arg = os.Args[2]
	}
	does, ok := map[string]func(string) error{
		"serve": serve, "dial": dial, "lock": lock, "trylock": tryLock, "watch": watch, "share": share, "shared": shared, "raw": raw, "crowd": crowd,
	}[what]
	if !ok {
		os.Exit(2)
	}
	if err := does(arg); err != nil {
		for e := errors.Unwrap(err); e != nil; e = errors.Unwrap(err) {
			err = e // what differs between machines stands before it
		}
		fmt.Println(err)
	}
}

func serve(path string) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		_, _ = c.Write([]byte("reached"))
		_ = c.Close()
	}
}

// eventually tries until it succeeds, or the other container has had its time.
func eventually(do func() error) error {
	for end := time.Now().Add(5 * time.Second); ; {
		err := do()
		if err == nil || time.Now().After(end) {
			return err
		}
		<-time.After(20 * time.Millisecond)
	}
}

func dial(path string) error {
	return eventually(func() error {
		c, err := net.Dial("unix", path)
		if err != nil {
			return err
		}
		defer c.Close()
		b, err := io.ReadAll(c)
		fmt.Println(string(b))
		return err
	})
}

func lockFile(path string) error {
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o666) // nobody closes it
	if err != nil {
		return err
	}
	return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
}

func lock(path string) error {
	if err := lockFile(path); err != nil {
		return err
	}
	if err := os.WriteFile(path+".locked", nil, 0o666); err != nil {
		return err
	}
	return wait()
}

// wait does nothing until this process is ended.
func wait() error { return unix.Pause() }

func tryLock(path string) error {
	err := eventually(func() error {
		_, err := os.Stat(path + ".locked")
		return err
	})
	if err != nil {
		return err
	}
	if errors.Is(lockFile(path), unix.EWOULDBLOCK) {
		fmt.Println("held")
		return nil
	}
	fmt.Println("not held")
	return nil
}

func watch(dir string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "watching"), nil, 0o666); err != nil {
		return err
	}
	told := make(chan bool)
	go func() {
		b := make([]byte, 4096)
		for seen := 0; seen < 2; { // its own file, and the other's
			n, err := unix.Read(fd, b)
			if err != nil {
				return
			}
			for at := 0; at+unix.SizeofInotifyEvent <= n; seen++ {
				at += unix.SizeofInotifyEvent + int(b[at+12]) // the length of the name is small
			}
		}
		close(told)
	}()
	select {
	case <-told:
		fmt.Println("told")
	case <-time.After(4 * time.Second):
		fmt.Println("not told")
	}
	return nil
}

const key = 0x62657274

func share(string) error {
	if _, err := unix.SysvShmGet(key, 4096, unix.IPC_CREAT|0o666); err != nil {
		return err
	}
	return wait()
}

func shared(string) error {
	answer := "shared"
	if eventually(func() error { _, err := unix.SysvShmGet(key, 4096, 0); return err }) != nil {
		answer = "its own"
	}
	fmt.Println(answer)
	return nil
}

func raw(string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err == nil {
		fmt.Println("allowed")
		_ = unix.Close(fd)
	}
	return err
}

func crowd(n string) error {
	most, err := strconv.Atoi(n)
	if err != nil {
		return err
	}
	for range most {
		_, err := os.StartProcess("/proc/self/exe", []string{"probe"}, &os.ProcAttr{Env: []string{"GOMAXPROCS=1"}})
		if errors.Is(err, syscall.EAGAIN) {
			fmt.Println("limited")
			return nil
		}
		if err != nil {
			return err
		}
	}
	fmt.Println("not limited")
	return nil
}
