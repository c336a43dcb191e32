package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// result is what became of one group.
type result struct {
	group
	took   time.Duration
	report report
	err    error // of go test; nil when every test passed
}

func (r result) over() bool { return r.took > r.limit }

// patience is how long a group may run over its limit before it is taken for hung: the tests' own deadline (-timeout)
// comes first and says where they hang.
const patience = 30 * time.Second

func runGroup(ctx context.Context, g group, out io.Writer) result {
	if len(g.packages) == 0 {
		return result{group: g}
	}
	fmt.Fprintf(out, "# %s (limit %s, %d packages)\n", g.name, g.limit, len(g.packages))
	ctx, cancel := context.WithTimeout(ctx, g.limit+patience)
	defer cancel()
	args := append([]string{"test", "-json", "-count=1", "-timeout", g.limit.String()}, g.flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, g.packages...)...)
	cmd.Env = append(os.Environ(), g.environ...)
	// A group of its own: go test's children are stopped with it, ours are not disturbed by the terminal's.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	pipe, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	r := result{group: g}
	begin := time.Now()
	done := make(chan struct{})
	go func() { r.report = readEvents(pipe, out); close(done) }()
	r.err = cmd.Run()
	_ = writer.Close() // of a pipe in memory: never fails
	<-done
	r.took = time.Since(begin)
	return r
}
