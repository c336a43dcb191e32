package storage

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const loopControl = "/dev/loop-control"

// attach makes a loop device of a file. It ends by itself when nobody holds it any more: neither what is answered nor a mount.
func attach(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // the device holds it
	control, err := os.OpenFile(loopControl, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = control.Close() }() // nothing was written
	for {
		device, err := configure(control, file)
		if !errors.Is(err, unix.EBUSY) { // somebody else took it
			return device, err
		}
	}
}

func configure(control, file *os.File) (*os.File, error) {
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, os.NewSyscallError("ioctl LOOP_CTL_GET_FREE", err)
	}
	device, err := os.OpenFile("/dev/loop"+strconv.Itoa(n), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	// Past the page cache: it would keep everything twice.
	c := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_DIRECT_IO}}
	copy(c.Info.File_name[:], file.Name())
	if err := unix.IoctlLoopConfigure(int(device.Fd()), &c); err != nil {
		return nil, errors.Join(fmt.Errorf("ioctl LOOP_CONFIGURE %s: %w", device.Name(), err), device.Close())
	}
	return device, nil
}

// Can says why this machine cannot have such file systems; nil when it can.
func Can() error {
	if _, err := os.Stat(loopControl); err != nil {
		return fmt.Errorf("there are no loop devices: %w (modprobe loop)", err)
	}
	_, err := findProgram()
	return err
}
