package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// loadModule offers the kernel something that is none: refused for what it is, it was let in.
func loadModule(aim.Aim) error {
	text, params := []byte("no module"), []byte{0}
	err := call(unix.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)), uintptr(unsafe.Pointer(&params[0])))
	return reached(err, unix.ENOEXEC, unix.EINVAL)
}

func loadModuleFile(aim.Aim) error {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer f.Close()
	params := []byte{0}
	err = call(unix.SYS_FINIT_MODULE, f.Fd(), uintptr(unsafe.Pointer(&params[0])), 0)
	return reached(err, unix.ENOEXEC, unix.EINVAL)
}

func unloadModule(aim.Aim) error {
	name := []byte("berth_no_such\x00")
	return reached(call(unix.SYS_DELETE_MODULE, uintptr(unsafe.Pointer(&name[0])), unix.O_NONBLOCK), unix.ENOENT)
}

// bpfMap makes a map for programs in the kernel.
func bpfMap(aim.Aim) error {
	attr := [16]uint32{11 /* a trie: never for everybody */, 8, 4, 1, 1 /* BPF_F_NO_PREALLOC */}
	fd, _, e := unix.Syscall(unix.SYS_BPF, 0 /* BPF_MAP_CREATE */, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if e != 0 {
		return e
	}
	return unix.Close(int(fd))
}

// perf counts what a whole processor does.
func perf(aim.Aim) error {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Config: unix.PERF_COUNT_SW_CPU_CLOCK}
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// keyring makes a key in the kernel, which has no namespaces of them.
func keyring(aim.Aim) error {
	_, err := unix.AddKey("user", "berth-escape", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
	return err
}

func keyctl(aim.Aim) error {
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	return reached(err, unix.ENOKEY)
}

// messages reads the kernel's log.
func messages(a aim.Aim) error {
	const sizeUnread = 9 // needs the right also where everybody may read
	if _, err := unix.Klogctl(sizeUnread, nil); err != nil {
		return err
	}
	b := make([]byte, 4<<20)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, b)
	if err != nil {
		return err
	}
	if !bytes.Contains(b[:n], []byte(a.Token)) {
		return errors.New("it is another kernel's log")
	}
	return nil
}

// clock sets the speed of the machine's clock to what it is.
func clock(aim.Aim) error {
	var now unix.Timex
	if _, err := unix.Adjtimex(&now); err != nil {
		return err
	}
	_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_TICK, Tick: now.Tick})
	return err
}

// setTime asks for a time that there is not: what follows the question whether the caller may.
func setTime(aim.Aim) error {
	zone := struct{ minutesWest, dst int32 }{minutesWest: 16 * 60}
	return reached(call(unix.SYS_SETTIMEOFDAY, 0, uintptr(unsafe.Pointer(&zone))), unix.EINVAL)
}

func reboot(aim.Aim) error { return reached(call(unix.SYS_REBOOT, 0, 0, 0, 0), unix.EINVAL) }

func swapOff(aim.Aim) error {
	name := []byte("/no/such\x00")
	return reached(call(unix.SYS_SWAPOFF, uintptr(unsafe.Pointer(&name[0]))), unix.ENOENT)
}

func swapOn(aim.Aim) error {
	name := []byte("/no/such\x00")
	return reached(call(unix.SYS_SWAPON, uintptr(unsafe.Pointer(&name[0])), 0), unix.ENOENT)
}

func accounting(aim.Aim) error {
	name := []byte("/no/such\x00")
	return reached(call(unix.SYS_ACCT, uintptr(unsafe.Pointer(&name[0]))), unix.ENOENT)
}

func otherKernel(aim.Aim) error {
	return reached(call(unix.SYS_KEXEC_LOAD, 0, 0, 0, ^uintptr(0)), unix.EINVAL)
}

// userFaults would hold the kernel up in the middle of a copy.
func userFaults(aim.Aim) error {
	fd, _, e := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC, 0, 0)
	if e != 0 {
		return e
	}
	return unix.Close(int(fd))
}

func ring(aim.Aim) error {
	var params [30]uint32
	fd, _, e := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)
	if e != 0 {
		return e
	}
	return unix.Close(int(fd))
}

func priority(aim.Aim) error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -20) }

// precious asks never to be ended for want of memory.
func precious(aim.Aim) error {
	return os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0)
}

// moreFiles lowers a hard limit and raises it again.
func moreFiles(aim.Aim) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	less := unix.Rlimit{Cur: l.Cur, Max: l.Max - 1}
	less.Cur = min(less.Cur, less.Max)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &less); err != nil {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
}

// processes makes more than a task may have. They end with this one.
func processes(a aim.Aim) error {
	if a.Processes == 0 {
		return errors.New("no limit was told")
	}
	var made []int
	defer func() {
		for _, pid := range made {
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}()
	for len(made) < a.Processes {
		pid, err := brief()
		if err != nil {
			return fmt.Errorf("after %d: %w", len(made), err)
		}
		made = append(made, pid)
	}
	return nil
}

// brief begins one that ends at once. Until somebody waits for it, it counts.
func brief() (int, error) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	p, err := os.StartProcess(self, []string{self, "true"}, &os.ProcAttr{Env: []string{"GOMAXPROCS=1"}})
	if err != nil {
		return 0, err
	}
	return p.Pid, nil
}
