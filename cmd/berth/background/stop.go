package background

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Stop asks the holder of the pid file to end and returns when it has. When ctx ends first it is killed.
// It answers false when nothing ran.
func Stop(ctx context.Context, pidFile string) (stopped bool, err error) {
	pid, running, err := named(ctx, pidFile)
	if err != nil || !running {
		return false, err
	}
	if err := send(pid, syscall.SIGTERM); err != nil {
		return false, err
	}
	if gone(ctx, pidFile) {
		return true, nil
	}
	if err := send(pid, syscall.SIGKILL); err != nil {
		return false, err
	}
	// A killed process is gone as soon as the kernel has closed its files.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if !gone(last, pidFile) {
		return false, fmt.Errorf("process %d is still there after SIGKILL", pid)
	}
	return true, nil
}

// named is Running, with patience for a holder that has not written its id yet.
func named(ctx context.Context, pidFile string) (pid int, running bool, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		pid, running, err = Running(pidFile)
		if err != nil || !running || pid > 0 {
			return pid, running, err
		}
		select {
		case <-ctx.Done():
			return 0, false, fmt.Errorf("%s is held by a process that does not say which it is: %w", pidFile, ctx.Err())
		case <-tick.C:
		}
	}
}

func send(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}

// gone waits until nobody holds the pid file; false when ctx ended first.
func gone(ctx context.Context, pidFile string) bool {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if _, running, err := Running(pidFile); err == nil && !running {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}
