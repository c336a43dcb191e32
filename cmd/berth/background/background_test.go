package background

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays the region when this variable names a pid file.
const playVariable = "BERTH_TEST_PLAY_REGION"

func TestMain(m *testing.M) {
	if pidFile := os.Getenv(playVariable); pidFile != "" {
		os.Exit(playRegion(pidFile, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func playRegion(pidFile string, args []string) int {
	release, err := Hold(pidFile)
	if err != nil {
		fmt.Println(err)
		return 3
	}
	defer release()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("holding")
	for range stop {
		if len(args) > 0 && args[0] == "stubborn" {
			continue
		}
		return 0
	}
	return 0
}

func start(t *testing.T, pidFile string, args ...string) (*Child, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log", "region.log")
	child, err := Start(Command{
		Exe: os.Args[0], Args: append(args, "-test.run=^$"), LogFile: log,
		Env: append(os.Environ(), playVariable+"="+pidFile),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(child.PID, syscall.SIGKILL) })
	return child, log
}

func holds(log string) Probe {
	return func(context.Context) (bool, string) {
		f, err := os.Open(log)
		if err != nil {
			return false, "opening the log"
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		return lines.Scan() && lines.Text() == "holding", "waiting for the lock"
	}
}

func TestLife(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pidFile := filepath.Join(t.TempDir(), "run", "berth.pid")
	if _, running, err := Running(pidFile); running || err != nil {
		t.Fatalf("before the start: running %v, %v", running, err)
	}
	child, log := start(t, pidFile)
	if err := child.Await(ctx, holds(log), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if pid, running, err := Running(pidFile); pid != child.PID || !running || err != nil {
		t.Errorf("Running = %d %v %v, want %d", pid, running, err, child.PID)
	}
	if _, err := Hold(pidFile); !errors.Is(err, ErrRunning) {
		t.Errorf("a second holder: %v", err)
	}
	if stopped, err := Stop(ctx, pidFile); !stopped || err != nil {
		t.Errorf("Stop = %v, %v", stopped, err)
	}
	if stopped, err := Stop(ctx, pidFile); stopped || err != nil {
		t.Errorf("second Stop = %v, %v", stopped, err)
	}
	release, err := Hold(pidFile)
	if err != nil {
		t.Fatalf("the lock was not given back: %v", err)
	}
	release()
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pidFile := filepath.Join(t.TempDir(), "berth.pid")
	child, log := start(t, pidFile, "stubborn")
	if err := child.Await(ctx, holds(log), func(string) {}); err != nil {
		t.Fatal(err)
	}
	patience, cancelPatience := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancelPatience()
	if stopped, err := Stop(patience, pidFile); !stopped || err != nil {
		t.Errorf("Stop = %v, %v", stopped, err)
	}
}

// A holder that has not written its id yet is waited for.
func TestStopWaitsForAName(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "berth.pid")
	release, err := Hold(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(pidFile, 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if stopped, err := Stop(ctx, pidFile); stopped || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stop = %v, %v", stopped, err)
	}
	time.AfterFunc(50*time.Millisecond, release)
	if stopped, err := Stop(t.Context(), pidFile); stopped || err != nil {
		t.Errorf("Stop of one that ended without a name = %v, %v", stopped, err)
	}
}

func TestAwaitSaysWhy(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "berth.pid")
	release, err := Hold(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	child, _ := start(t, pidFile)
	var shown []string
	err = child.Await(t.Context(), func(context.Context) (bool, string) { return false, "opening the store" }, func(s string) { shown = append(shown, s) })
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready: exit status 3") {
		t.Errorf("err = %v", err)
	}
	if len(shown) != 1 {
		t.Errorf("shown %q, want each state once", shown)
	}
}

func TestAwaitTimesOut(t *testing.T) {
	child := &Child{done: make(chan error)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := child.Await(ctx, func(context.Context) (bool, string) { return false, "starting containerd" }, func(string) {})
	if err == nil || err.Error() != "not ready in time, still starting containerd" {
		t.Errorf("err = %v", err)
	}
}
