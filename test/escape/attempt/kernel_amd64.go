package main

import (
	"golang.org/x/sys/unix"

	"github.com/berth-ecs/berth/test/escape/aim"
)

// ports asks for the machine's own.
func ports(aim.Aim) error { return unix.Ioperm(0x80, 1, 1) }

func allPorts(aim.Aim) error { return unix.Iopl(3) }
