// Package socket keeps a web socket to a server open: it dials, watches for silence, ends connections that are old, and
// dials again with the waits of the ECS agent.
//
// What is guaranteed: one connection at a time; a server that is silent for longer than Silence is left; a server that
// refuses or drops every connection is asked ever more rarely, one that works and closes is dialled again at once.
package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/berth-ecs/berth/node/agent/backoff"
)

// Conn is an open web socket of text frames. Write may be called at once with everything.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, frame []byte) error
	Close(code int, reason string)
}

// Dialer opens web sockets.
type Dialer interface {
	Dial(ctx context.Context, url string) (Conn, error)
}

// Refused is a handshake that the server answered with an error of AWS's.
type Refused struct {
	Status    int
	Exception string // "" when the answer names none
	Message   string
}

func (e *Refused) Error() string {
	return fmt.Sprintf("handshake refused with status %d: %s: %s", e.Status, e.Exception, e.Message)
}

// inactive is the exception of an instance that was deregistered.
const inactive = "InactiveInstanceException"

// Closed is a connection that the other side closed.
type Closed struct {
	Code   int
	Reason string
}

func (e *Closed) Error() string { return fmt.Sprintf("closed with code %d: %s", e.Code, e.Reason) }

// Keeper keeps one socket open.
type Keeper struct {
	Name   string                                    // required; for logs
	URL    func(ctx context.Context) (string, error) // required; asked before every dial
	Dialer Dialer                                    // required
	// Session sends and does what else belongs to one connection; it ends with ctx. Required.
	Session func(ctx context.Context, c Conn) error
	// Receive takes one frame. Required.
	Receive func(ctx context.Context, c Conn, frame []byte)
	Backoff backoff.Policy // required
	Log     *slog.Logger   // required
}

// The ECS agent's times.
const (
	dialTimeout  = 30 * time.Second
	silence      = time.Minute // plus up to as much
	maxAge       = 30 * time.Minute
	maxAgeJitter = 5 * time.Minute
	inactiveWait = time.Hour
	healthyAfter = time.Minute // a connection that lived so long resets the waits
)

const normalClosure = 1000

// Run keeps the socket open until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tries := 0
	for {
		began := time.Now()
		heard, err := k.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) >= healthyAfter {
			tries = 0
		}
		wait := k.Backoff.Wait(tries, rand.Float64()) //nolint:gosec // jitter
		var refused *Refused
		switch {
		case errors.As(err, &refused) && refused.Exception == inactive:
			wait = inactiveWait
		case heard && atOnce(err):
			wait, tries = 0, 0
		default:
			tries++
		}
		k.Log.Info("connection ended", "socket", k.Name, "error", err, "wait", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// errExpired ends a connection that is old.
var errExpired = errors.New("connection expired")

// atOnce says whether a connection that ended so is dialled again without a wait.
func atOnce(err error) bool {
	if errors.Is(err, errExpired) {
		return true
	}
	var c *Closed
	if !errors.As(err, &c) {
		return false
	}
	switch c.Code {
	case 1000, 1001, 1006, 1011:
		return true
	}
	return false
}

// once dials and serves one connection. heard says that the server said something on it.
func (k *Keeper) once(ctx context.Context) (heard bool, err error) {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	url, err := k.URL(dialCtx)
	if err != nil {
		return false, err
	}
	c, err := k.Dialer.Dial(dialCtx, url)
	if err != nil {
		return false, err
	}
	k.Log.Info("connected", "socket", k.Name)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	old := time.AfterFunc(maxAge+rand.N(maxAgeJitter), func() { end(errExpired) }) //nolint:gosec // jitter
	defer old.Stop()
	session := make(chan struct{})
	go func() {
		defer close(session)
		if err := k.Session(ctx, c); err != nil && ctx.Err() == nil {
			end(err)
		}
	}()
	heard, err = k.read(ctx, c)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	reason := ""
	if errors.Is(err, errExpired) {
		reason = "ConnectionExpired: Reconnect to continue"
	}
	end(nil)
	c.Close(normalClosure, reason)
	<-session
	return heard, err
}

// read takes frames until the connection ends or falls silent.
func (k *Keeper) read(ctx context.Context, c Conn) (heard bool, err error) {
	for {
		readCtx, cancel := context.WithTimeout(ctx, silence+rand.N(silence)) //nolint:gosec // jitter
		frame, err := c.Read(readCtx)
		quiet := readCtx.Err() != nil && ctx.Err() == nil
		cancel()
		if quiet {
			return heard, errors.New("the server was silent for too long")
		}
		if err != nil {
			return heard, err
		}
		heard = true
		k.Receive(ctx, c, frame)
	}
}
