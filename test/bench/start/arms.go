package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"

	"github.com/berth-ecs/berth/node/runtime"
)

// program is what the containers run: it says when it began and ends.
const program = `package main

import (
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	now := time.Now().UnixNano()
	c, err := net.Dial("unixgram", "@"+os.Args[1])
	if err != nil {
		panic(err)
	}
	c.Write([]byte(strconv.FormatInt(now, 10)))
}
`

// listener hears of first instructions. The name is abstract: it needs the
// host's network namespace and no mount.
type listener struct {
	name string
	c    *net.UnixConn
}

func listen(name string) (*listener, error) {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@" + name, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &listener{name: name, c: c}, nil
}

func (l *listener) close() error { return l.c.Close() }

func (l *listener) since(start time.Time) (time.Duration, error) {
	if err := l.c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, err
	}
	buf := make([]byte, 64)
	n, err := l.c.Read(buf)
	if err != nil {
		return 0, fmt.Errorf("the container did not report: %w", err)
	}
	at, err := strconv.ParseInt(string(buf[:n]), 10, 64)
	return time.Duration(at - start.UnixNano()), err
}

func (b *bench) prepared(ctx context.Context) (time.Duration, error)   { return b.ours(ctx, true) }
func (b *bench) unprepared(ctx context.Context) (time.Duration, error) { return b.ours(ctx, false) }

func (b *bench) ours(ctx context.Context, ahead bool) (d time.Duration, err error) {
	task := runtime.Task{ID: randomHex(16)}
	if ahead {
		if err := b.rt.Prepare(ctx, task); err != nil {
			return 0, err
		}
	}
	c := runtime.Container{ID: task.ID + "-1", TaskID: task.ID, Name: "first", Image: b.image}
	start := time.Now()
	if !ahead {
		if err := b.rt.Prepare(ctx, task); err != nil {
			return 0, err
		}
	}
	if err := b.rt.Create(ctx, c); err != nil {
		return 0, err
	}
	if _, _, err := b.rt.Start(ctx, c.ID); err != nil {
		return 0, err
	}
	if d, err = b.listener.since(start); err != nil {
		return 0, err
	}
	return d, b.rt.Release(ctx, task.ID)
}

func (b *bench) ctr(ctx context.Context) (time.Duration, error) {
	b.container++
	id := "ctr" + strconv.Itoa(b.container)
	base := []string{"-a", b.store.Address, "-n", b.store.Namespace}
	command := func(args ...string) error {
		out, err := exec.CommandContext(ctx, b.store.Ctr, append(base[:4:4], args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ctr %v: %w: %s", args, err, out)
		}
		return nil
	}
	start := time.Now()
	if err := command("run", "-d", "--net-host", "--snapshotter", "overlayfs", b.image.Ref, id); err != nil {
		return 0, err
	}
	d, err := b.listener.since(start)
	if err != nil {
		return 0, err
	}
	if err := command("tasks", "rm", "-f", id); err != nil {
		return 0, err
	}
	return d, command("containers", "rm", id)
}
