package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// load is what a server is asked.
type load struct {
	length    time.Duration
	window    int
	questions string // a file
}

// questions writes the file that dnsperf asks from: every service, in an order that is no order.
func questions(dir string) (string, error) {
	var b strings.Builder
	for i := range services {
		fmt.Fprintf(&b, "%s A\n", serviceName(i*7919%services))
	}
	file := filepath.Join(dir, "questions")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}

// answered is what became of a run.
type answered struct {
	rate  float64
	lost  int
	times []time.Duration
}

func (a *answered) quantile(q float64) time.Duration {
	if len(a.times) == 0 {
		return 0
	}
	return a.times[min(len(a.times)-1, int(q*float64(len(a.times))))]
}

// run asks for a time, at most so many questions a second; 0 for as many as there are answers to. With a rate each answer's time is told.
func (l load) run(ctx context.Context, p *peer, rate int) (answered, error) {
	args := []string{"-c", "1", "chrt", "--rr", "10", "dnsperf", "-s", "127.0.0.1", "-p", strconv.Itoa(p.port), "-d", l.questions, "-l", strconv.Itoa(int(l.length.Seconds())), "-c", "4", "-q", strconv.Itoa(l.window)}
	if rate > 0 {
		args = append(args, "-Q", strconv.Itoa(rate), "-v")
	}
	out, err := exec.CommandContext(ctx, "taskset", args...).CombinedOutput()
	if err != nil {
		return answered{}, fmt.Errorf("dnsperf: %w\n%.2000s", err, out)
	}
	var a answered
	completed := 0
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		f := strings.Fields(s.Text())
		switch {
		case len(f) == 5 && f[0] == ">": // > NOERROR name A 0.000123
			seconds, err := strconv.ParseFloat(f[4], 64)
			if err != nil || f[1] != "NOERROR" {
				return a, fmt.Errorf("dnsperf says %q", s.Text())
			}
			a.times = append(a.times, time.Duration(seconds*float64(time.Second)))
		case strings.Contains(s.Text(), "Queries completed:"):
			completed, _ = strconv.Atoi(f[2])
		case strings.Contains(s.Text(), "Queries lost:"):
			a.lost, _ = strconv.Atoi(f[2])
		case strings.Contains(s.Text(), "Queries per second:"):
			a.rate, _ = strconv.ParseFloat(f[3], 64)
		case strings.Contains(s.Text(), "Response codes:") && !strings.Contains(s.Text(), fmt.Sprintf("NOERROR %d (100.00%%)", completed)):
			return a, fmt.Errorf("dnsperf says %q", s.Text())
		}
	}
	slices.Sort(a.times)
	if completed == 0 {
		return a, fmt.Errorf("nothing was answered:\n%.2000s", out)
	}
	return a, nil
}

// ask answers the server's processor time for one question.
func (l load) ask(ctx context.Context, p *peer, churn bool) (time.Duration, error) {
	if churn {
		if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			return 0, err
		}
		defer func() { _ = p.cmd.Process.Signal(syscall.SIGUSR2) }() // it is there
	}
	before, err := processorTime(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	a, err := l.run(ctx, p, 0)
	if err != nil {
		return 0, err
	}
	after, err := processorTime(p.cmd.Process.Pid)
	return time.Duration(float64(after-before) / (a.rate * l.length.Seconds())), err
}

// processorTime is what a process has used of processors, by the kernel's accounting of its threads.
func processorTime(pid int) (sum time.Duration, err error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	for _, t := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, t.Name()))
		if err != nil {
			return 0, err
		}
		var ns int64
		if _, err := fmt.Fscan(strings.NewReader(string(text)), &ns); err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}
