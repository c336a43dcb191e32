// Package tasklogs shows what the containers of a task printed, from the files that the node keeps.
//
// Guarantees:
//
//   - Nothing needs to run: the files are read, not the processes that write them.
//   - Without Follow, lines of several containers come in the order in which they were printed.
//   - A line is written whole; lines of containers that print at the same time are never mixed.
package tasklogs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/node/hold/logfile"
)

// Query says what to show.
type Query struct {
	Dir       string // required; the node's log directory
	Task      string // required; 32 hexadecimal digits
	Container string // optional; default: all, each line behind its container's name
	Follow    bool   // go on until ctx ends
}

// Show writes what q asks for to w.
func Show(ctx context.Context, q Query, w io.Writer) error {
	names, err := containers(q)
	if err != nil {
		return err
	}
	out := &writer{w: w, prefixed: len(names) > 1}
	if q.Follow {
		return follow(ctx, q, names, out)
	}
	lines, err := collect(ctx, q, names)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if err := out.line(l.container, l.Text); err != nil {
			return err
		}
	}
	return nil
}

// containers returns the names of those that have a log, sorted.
func containers(q Query) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(q.Dir, q.Task))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("task %s has no log here; logs are kept on the node that ran it, for three hours after it stopped", q.Task)
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		// A leading dot is not a container's: the shim's own log lies beside them.
		if name, isLog := strings.CutSuffix(e.Name(), ".log"); isLog && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if q.Container == "" {
		return names, nil
	}
	if !slices.Contains(names, q.Container) {
		return nil, fmt.Errorf("container %q of task %s has no log here; there are logs of: %s", q.Container, q.Task, strings.Join(names, ", "))
	}
	return []string{q.Container}, nil
}

type line struct {
	logfile.Line
	container string
}

// collect reads every log and sorts the lines by time. Files are bounded by rotation, so they fit into memory.
func collect(ctx context.Context, q Query, names []string) ([]line, error) {
	var out []line
	for _, name := range names {
		for l, err := range logfile.Read(ctx, q.Dir, q.Task, name) {
			if err != nil {
				return nil, err
			}
			l.Text = slices.Clone(l.Text)
			out = append(out, line{l, name})
		}
	}
	slices.SortStableFunc(out, func(a, b line) int { return a.At.Compare(b.At) })
	return out, nil
}

func follow(ctx context.Context, q Query, names []string, out *writer) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		group.Go(func() error {
			for l, err := range logfile.Follow(ctx, q.Dir, q.Task, name) {
				if err != nil {
					return err
				}
				if err := out.line(name, l.Text); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}
