package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

func contains(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }

// Where a victim has what others would like to have.
const (
	victimFile = "/secret"
	victimPort = "127.0.0.1:7001"
	victimKey  = 0x62657274 // of System V's shared memory
)

// victim waits. Everything of it holds its token.
func victim(token string) {
	must(os.WriteFile(victimFile, []byte(token), 0o644))
	l, err := net.Listen("tcp", victimPort)
	if err == nil { // one of a task's containers has it
		go answer(l, token)
	}
	if id, err := unix.SysvShmGet(victimKey, 4096, unix.IPC_CREAT|0o666); err == nil {
		if b, err := unix.SysvShmAttach(id, 0, 0); err == nil {
			copy(b, token)
		}
	}
	fmt.Println("ready")
	_ = unix.Pause()
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func answer(l net.Listener, token string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte(token))
		_ = c.Close()
	}
}

func see(a aim.Aim) error { return foreign(a, func(int) error { return nil }) }

func signal(a aim.Aim) error {
	return foreign(a, func(pid int) error { return unix.Kill(pid, 0) })
}

func trace(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		if err := unix.PtraceSeize(pid); err != nil {
			return err
		}
		return reached(unix.PtraceDetach(pid), unix.ESRCH) // it was never stopped: the end of this process lets it go
	})
}

// memory reads another's, by its file and by the call for it.
func memory(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
		if err != nil {
			return err
		}
		defer f.Close()
		at, err := mapped(pid)
		if err != nil {
			return err
		}
		_, err = f.ReadAt(make([]byte, 8), at)
		return err
	})
}

func memoryCall(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		at, err := mapped(pid)
		if err != nil {
			return err
		}
		b := make([]byte, 8)
		local, remote := []unix.Iovec{{Base: &b[0], Len: 8}}, []unix.RemoteIovec{{Base: uintptr(at), Len: 8}}
		_, err = unix.ProcessVMReadv(pid, local, remote, 0)
		return err
	})
}

// mapped is an address that a process has.
func mapped(pid int) (at int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%x-", &at)
	}
	return at, err
}

func environment(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		return err
	})
}

func root(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/root%s", pid, victimFile))
		if err != nil {
			return err
		}
		for _, v := range a.Victims {
			if contains(text, v) {
				return nil
			}
		}
		return errors.New("it is another file")
	})
}

// takeFile takes an open file out of another process.
func takeFile(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		got, err := unix.PidfdGetfd(fd, 1, 0)
		if err == nil {
			_ = unix.Close(got)
		}
		return err
	})
}

// shared reads the shared memory of another task, which is the first victim.
func shared(a aim.Aim) error {
	id, err := unix.SysvShmGet(victimKey, 4096, 0)
	if err != nil {
		return err
	}
	b, err := unix.SysvShmAttach(id, 0, unix.SHM_RDONLY)
	if err != nil {
		return err
	}
	if contains(b, a.Victims[0]) {
		return nil
	}
	return errors.New("it is another's")
}

// overwrite keeps hold of a program that came in from the machine and writes to it once it has ended, as runc's was overwritten.
func overwrite(a aim.Aim) error {
	own := map[[2]uint64]bool{inode("/proc/self/exe"): true, inode("/proc/1/exe"): a.Entering == ""}
	held := map[[2]uint64]int{}
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); {
		hold(a, own, held)
		for _, fd := range held {
			if w, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_CLOEXEC, 0); err == nil {
				return unix.Close(w)
			}
		}
	}
	return fmt.Errorf("of %d programs none could be written", len(held))
}

func hold(a aim.Aim, own map[[2]uint64]bool, held map[[2]uint64]int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		path := "/proc/" + e.Name() + "/exe"
		if a.Entering != "" {
			if line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline"); err != nil || !contains(line, a.Entering) {
				continue
			}
		}
		id := inode(path)
		if id == [2]uint64{} || own[id] {
			continue
		}
		if _, ok := held[id]; ok {
			continue
		}
		if fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
			held[id] = fd
		}
	}
}

func inode(path string) [2]uint64 {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return [2]uint64{}
	}
	return [2]uint64{st.Dev, st.Ino}
}
