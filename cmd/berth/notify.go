package main

import (
	"context"
	"net"
	"os"
	"strings"

	"github.com/berth-ecs/berth/internal/ready"
)

// notifySocket is where a supervisor hears that a process is ready, as systemd has it.
const notifySocket = "NOTIFY_SOCKET"

// notify tells the supervisor of this process, if it has one that listens, when it is ready. What this process starts has nothing to tell it.
func (a *app) notify(ctx context.Context, state *ready.State) {
	at := os.Getenv(notifySocket)
	if at == "" {
		return
	}
	_ = os.Unsetenv(notifySocket) // a name like this one can be unset
	go func() {
		if state.Await(ctx) != nil {
			return
		}
		if err := tell(ctx, at, "READY=1"); err != nil {
			a.log.Warn("the supervisor is not told that this process is ready", "error", err)
		}
	}()
}

func tell(ctx context.Context, at, what string) error {
	if name, abstract := strings.CutPrefix(at, "@"); abstract {
		at = "\x00" + name
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "unixgram", at)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it was sent or not
	_, err = c.Write([]byte(what))
	return err
}
