// Package envoytest runs an Envoy for a test, on sockets that are files: no test needs a port. It knows nothing of what the configuration says.
package envoytest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Find is the program that node/proxy runs, or "".
func Find() string {
	for _, p := range []string{os.Getenv("BERTH_ENVOY"), "/opt/berth/bin/envoy"} {
		if _, err := os.Stat(p); p != "" && err == nil {
			return p
		}
	}
	p, _ := exec.LookPath("envoy")
	return p
}

// Program is Find for a test that has nothing to ask without it.
func Program(tb testing.TB) string {
	tb.Helper()
	p := Find()
	if p == "" {
		tb.Skip("no Envoy on this machine: hack/install.sh brings one")
	}
	return p
}

// Start starts an Envoy and waits until it listens at sockets. It ends with the test, before what was to be cleaned up earlier. It answers its process.
func Start(tb testing.TB, sockets []string, args ...string) (pid int) {
	tb.Helper()
	args = append(args, "--disable-hot-restart", "--concurrency", "1", "--log-level", "error")
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), Program(tb), args...)
	var said bytes.Buffer
	cmd.Stderr, cmd.Stdout = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if tb.Failed() {
			tb.Log(said.String())
		}
	})
	deadline, tick := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for _, s := range sockets {
		for !listens(tb, s) {
			select {
			case <-ended:
				tb.Fatalf("Envoy ended:\n%s", said.String())
			case <-deadline:
				tb.Fatalf("Envoy does not listen at %s", s)
			case <-tick.C:
			}
		}
	}
	return cmd.Process.Pid
}

func listens(tb testing.TB, socket string) bool {
	c, err := (&net.Dialer{}).DialContext(tb.Context(), "unix", socket)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// Send sends the bytes of a request to a listener that hears by the PROXY protocol whom it is from, and answers what comes back.
func Send(tb testing.TB, socket, source, raw string) (*http.Response, string) {
	tb.Helper()
	c, err := (&net.Dialer{}).DialContext(tb.Context(), "unix", socket)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, "PROXY TCP4 "+source+" 10.9.9.9 4444 80\r\n"+raw); err != nil {
		tb.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: strings.SplitN(raw, " ", 2)[0]})
	if err != nil {
		tb.Fatalf("%q: %v", raw, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	_ = r.Body.Close()
	return r, string(body)
}
