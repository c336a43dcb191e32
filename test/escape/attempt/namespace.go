package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// apart begins a program in namespaces of its own.
func apart(flags uintptr) func(aim.Aim) error {
	return func(aim.Aim) error {
		cmd := exec.Command("/proc/self/exe", "true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		return cmd.Run()
	}
}

// asNobody runs a program without any right.
func asNobody(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	if string(out[:min(len(out), 1)]) != "{" {
		return fmt.Errorf("it answers %q", out)
	}
	if !contains(out, string(aim.Succeeded)) {
		return fmt.Errorf("%w: %s", unix.EPERM, out)
	}
	return nil
}

// leave leaves a namespace for a new one.
func leave(flags int) func(aim.Aim) error {
	return func(aim.Aim) error { return unix.Unshare(flags) }
}

// join enters the network of a process of another container.
func join(a aim.Aim) error {
	return foreign(a, func(pid int) error {
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Setns(fd, unix.CLONE_NEWNET)
	})
}

// first enters the mounts of the first process there is to see.
func first(a aim.Aim) error {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/ns/mnt", a.FirstProcess()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Setns(fd, unix.CLONE_NEWNS); err != nil {
		return err
	}
	return secret(a, "")
}

// firstRoot goes through the first process's root.
func firstRoot(a aim.Aim) error { return secret(a, fmt.Sprintf("/proc/%d/root", a.FirstProcess())) }

var errNobody = errors.New("no such process is to be seen")

// foreign does something to each process of another container, until it succeeds.
func foreign(a aim.Aim, do func(pid int) error) error {
	last := errNobody
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscanf(e.Name(), "%d", &pid); err != nil {
			continue
		}
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		for _, v := range a.Victims {
			if contains(line, v) {
				if last = do(pid); last == nil {
					return nil
				}
			}
		}
	}
	return last
}
