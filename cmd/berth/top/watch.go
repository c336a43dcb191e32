package top

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/berth-ecs/berth/session/hub"
)

// What a terminal understands.
const (
	clearScreen = "\x1b[H\x1b[2J"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// Watch shows the page again and again in the same place until ctx ends.
func Watch(ctx context.Context, w io.Writer, get func(context.Context) (hub.Top, error), every time.Duration) error {
	if _, err := io.WriteString(w, clearScreen); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := show(ctx, w, get); err != nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func show(ctx context.Context, w io.Writer, get func(context.Context) (hub.Top, error)) error {
	var b bytes.Buffer
	p, err := get(ctx)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // the one who looks has had enough
	case err != nil:
		fmt.Fprintf(&b, "the region does not answer: %s\n", plain(err.Error()))
	default:
		if err := Render(&b, p); err != nil {
			return err
		}
	}
	text := bytes.ReplaceAll(b.Bytes(), []byte("\n"), []byte(clearLine+"\n"))
	_, err = w.Write(append(append([]byte(home), text...), clearBelow...))
	return err
}
