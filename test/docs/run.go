package docs

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Runner runs the command blocks of pages.
type Runner struct {
	Dir     string                           // required; where commands run
	Scratch string                           // required; an empty directory
	Environ []string                         // required
	Log     func(format string, args ...any) // required
}

// between two tries of a block that is repeated until it is right.
const between = 500 * time.Millisecond

// Run runs the blocks of one page in one shell, up to the first that fails.
func (r Runner) Run(ctx context.Context, name, page string) error {
	blocks, err := Parse(page)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	shell, err := Start(ctx, r.Dir, r.Scratch, r.Environ)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() {
		// What the blocks said counts; a shell that a block ended says so there.
		_ = shell.Close()
	}()
	for _, b := range blocks {
		if b.NotRun != "" {
			r.Log("%s line %d: not run: %s", name, b.Line, b.NotRun)
			continue
		}
		began := time.Now()
		if err := b.run(ctx, shell); err != nil {
			return fmt.Errorf("%s line %d: %w", name, b.Line, err)
		}
		r.Log("%s line %d: %s", name, b.Line, time.Since(began).Round(time.Millisecond))
	}
	return nil
}

// run runs a block once, or until its output is right.
func (b Block) run(ctx context.Context, shell *Shell) error {
	ctx, cancel := context.WithTimeout(ctx, b.Until)
	defer cancel()
	for {
		output, err := shell.Run(b.Commands)
		if err == nil && Match(b.Want, output) {
			return nil
		}
		select {
		case <-ctx.Done():
			return b.failure(output, err)
		case <-time.After(between):
		}
	}
}

func (b Block) failure(output string, err error) error {
	if err != nil {
		return fmt.Errorf("%w\n%s\noutput:\n%s", err, b.Commands, output)
	}
	return fmt.Errorf("not the output the page shows\n%s\nwant:\n%s\ngot:\n%s", b.Commands, strings.Join(b.Want, "\n"), output)
}
