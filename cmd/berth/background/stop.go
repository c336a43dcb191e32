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
	pid, running, err := Running(pidFile)
	if err != nil || !running {
		return false, err
	}
	if pid <= 0 {
		return false, fmt.Errorf("%s is held by a process that is just starting: try again", pidFile)
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
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if !gone(last, pidFile) {
		return false, fmt.Errorf("process %d is still there after SIGKILL", pid)
	}
	return true, nil
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
