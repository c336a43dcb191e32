package xds

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	proxyproto "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
)

// piped makes sockets of files the addresses of all listeners and targets, so that no test needs a port. A connection says by the PROXY protocol where it is from.
func piped(t testing.TB, b *bootstrap.Bootstrap, dir string) {
	t.Helper()
	pipe := func(name string) *core.Address {
		return &core.Address{Address: &core.Address_Pipe{Pipe: &core.Pipe{Path: filepath.Join(dir, name)}}}
	}
	said, err := packed(&proxyproto.ProxyProtocol{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range b.GetStaticResources().GetListeners() {
		l.Address = pipe(strconv.FormatUint(uint64(l.GetAddress().GetSocketAddress().GetPortValue()), 10))
		l.ListenerFilters = append([]*listenerv3.ListenerFilter{{
			Name: "envoy.filters.listener.proxy_protocol", ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: said},
		}}, l.GetListenerFilters()...)
	}
	for _, c := range b.GetStaticResources().GetClusters() {
		c.UpstreamBindConfig = nil
		for _, e := range c.GetLoadAssignment().GetEndpoints() {
			for _, h := range e.GetLbEndpoints() {
				a := h.GetEndpoint().GetAddress().GetSocketAddress()
				h.GetEndpoint().Address = pipe("t" + strconv.FormatUint(uint64(a.GetPortValue()), 10))
			}
		}
	}
}

// runs starts Envoy with all and answers the directory of its sockets: listeners by their ports, targets by t and theirs.
func runs(t testing.TB, all []Resource) string {
	t.Helper()
	dir, _ := started(t, all, func(*bootstrap.Bootstrap) {})
	return dir
}

// started is runs with a last word about the configuration, and the process.
func started(t testing.TB, all []Resource, edit func(*bootstrap.Bootstrap)) (string, int) {
	t.Helper()
	program := envoy(t)
	dir, err := os.MkdirTemp("", "xds") // short: paths of sockets are
	if err != nil {
		t.Fatal(err)
	}
	b := still(t, all, dir)
	piped(t, b, dir)
	edit(b)
	cmd := exec.Command(program, "-c", written(t, b, dir), "--disable-hot-restart", "--concurrency", "1", "--log-level", "error", "--file-flush-interval-msec", "20")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Log(said.String())
		}
		_ = os.RemoveAll(dir)
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, l := range b.GetStaticResources().GetListeners() {
		for {
			c, err := net.Dial("unix", l.GetAddress().GetPipe().GetPath())
			if err == nil {
				_ = c.Close()
				break
			}
			select {
			case <-ended:
				t.Fatalf("Envoy ended:\n%s", said.String())
			case <-ctx.Done():
				t.Fatalf("Envoy does not listen: %v", err)
			case <-tick.C:
			}
		}
	}
	return dir, cmd.Process.Pid
}

// sends sends raw bytes of a request to a listener, from source, and answers what comes back.
func sends(t testing.TB, socket, source, raw string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, "PROXY TCP4 "+source+" 10.9.9.9 4444 80\r\n"+raw); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r, string(body)
}
