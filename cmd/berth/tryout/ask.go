package tryout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/cmd/berth/health"
	"github.com/berth-ecs/berth/node/network/lan"
	"github.com/berth-ecs/berth/node/network/netspace"
)

// dialPatience is long for a loopback address.
const dialPatience = 2 * time.Second

// dial connects as a program on a machine does. The address is a number: a name would be looked up on another thread.
func (r *Region) dial(ctx context.Context, m Machine, address string) (c net.Conn, err error) {
	err = netspace.InsideAt(lan.Space(r.name(m)), func() error {
		c, err = (&net.Dialer{Timeout: dialPatience}).DialContext(ctx, "tcp", address)
		return err
	})
	return c, err
}

// listens is where a server answers on its own machine.
func (r *Region) listens() string {
	_, port, _ := net.SplitHostPort(r.Settings.Listen) // it was checked
	return net.JoinHostPort("127.0.0.1", port)
}

// client asks a machine's own endpoint.
func (r *Region) client(m Machine) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return r.dial(ctx, m, address)
	}}}
}

// ready asks a server whether it is.
func (r *Region) ready(ctx context.Context, c *http.Client) (isReady bool, doing string) {
	report, err := health.Page("http://"+r.listens()).ReportBy(ctx, c)
	if err != nil {
		return false, "starting"
	}
	return report.Ready, health.Doing(report)
}

// await waits until a server is ready. It fails when its process ends.
func (r *Region) await(ctx context.Context, m Machine) error {
	c := r.client(m)
	defer c.CloseIdleConnections()
	ctx, ended := context.WithCancelCause(ctx)
	defer ended(nil)
	err := background.Await(ctx, func(ctx context.Context) (bool, string) {
		if pids, err := Processes(r.name(m)); err == nil && len(pids) == 0 {
			ended(errors.New("its process has ended"))
		}
		return r.ready(ctx, c)
	}, func(doing string) { r.Show("          " + m.Name + " " + doing) })
	if err == nil {
		return nil
	}
	if why := context.Cause(ctx); why != nil && !errors.Is(why, context.DeadlineExceeded) {
		err = why
	}
	return fmt.Errorf("%s: %w%s\n  whole log: %s", m.Name, err, lastLines(r.logFile(m)), r.logFile(m))
}

// lastLines is the end of a log, indented.
func lastLines(path string) string {
	const lines = 8
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\n    " + strings.Join(all[max(0, len(all)-lines):], "\n    ")
}
