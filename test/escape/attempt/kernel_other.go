//go:build !amd64

package main

import "github.com/berth-ecs/berth/test/escape/aim"

func ports(aim.Aim) error { return errAbsent }

func allPorts(aim.Aim) error { return errAbsent }
