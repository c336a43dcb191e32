package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/mesh/xds"
	"github.com/berth-ecs/berth/test/envoy"
)

// idle is how many further load balancers are measured.
const idle = 100

// memory measures what each further idle load balancer with 100 rules takes of an Envoy that has one.
func memory(ctx context.Context, dir string) (err error) {
	dir = filepath.Join(dir, "memory")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	var all []xds.Resource
	var last uint16
	taken := map[uint16]bool{0: true}
	add := func(n int) error {
		for range n {
			one := &proxy{}
			for taken[one.http] {
				var err error
				if one.http, err = envoy.Free(); err != nil {
					return err
				}
			}
			taken[one.http] = true
			r, err := xds.Resources(part(fmt.Sprint("part", one.http), one))
			if err != nil {
				return err
			}
			all, last = append(all, r...), one.http
		}
		return nil
	}
	all = append(all, hosts("web", 1), hosts("sink", 1))
	if err := add(1); err != nil {
		return err
	}
	e, err := envoy.Start(ctx, dir, 2, all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Stop()) }()
	if err := e.Ready(ctx, last); err != nil {
		return err
	}
	before, err := private(e.PID())
	if err != nil {
		return err
	}
	if err := errors.Join(add(idle), e.Tell(all)); err != nil {
		return err
	}
	if err := e.Ready(ctx, last); err != nil {
		return err
	}
	after, err := private(e.PID())
	each := (after - before) / idle
	fmt.Printf("memory: one idle load balancer of 100 rules: %.1f MB of Envoy's own; each further one of %d: %.2f MB\n", float64(before)/(1<<20), idle, float64(each)/(1<<20))
	fmt.Printf("target: at most %d MB: %s\n", targetMemory>>20, verdict(each <= targetMemory))
	return err
}

// private is the memory of a process that it shares with nobody.
func private(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	var sum int64
	for line := range strings.SplitSeq(string(text), "\n") {
		if f := strings.Fields(line); len(f) == 3 && strings.HasPrefix(f[0], "Private_") {
			n, perr := strconv.ParseInt(f[1], 10, 64)
			err = errors.Join(err, perr)
			sum += n << 10
		}
	}
	return sum, err
}
