package docs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Block is one command block of a page.
type Block struct {
	Line     int // of its first command
	Commands string
	Want     []string // lines of the expected output; nil: any
	NotRun   string   // why it is left out
	Until    time.Duration
}

// fence is a fenced block of any language.
type fence struct {
	line           int
	language, text string
	before         string // the last line with text above it, if nothing stands in between
	follows        bool   // only empty lines since the fence above
}

// Parse returns the command blocks of a page.
func Parse(page string) ([]Block, error) {
	fences, err := split(page)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for i, f := range fences {
		if f.language != "sh" {
			continue
		}
		b := Block{Line: f.line, Commands: f.text}
		if err := b.direct(f.before); err != nil {
			return nil, fmt.Errorf("line %d: %w", f.line, err)
		}
		if i+1 < len(fences) && fences[i+1].language == "text" && fences[i+1].follows {
			b.Want = strings.Split(strings.TrimSpace(fences[i+1].text), "\n")
		}
		if b.Until > 0 && b.Want == nil {
			return nil, fmt.Errorf("line %d: until without an expected output: nothing says when it is right", f.line)
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

// direct applies the comment above a block.
func (b *Block) direct(comment string) error {
	comment, isComment := strings.CutPrefix(comment, "<!--")
	if !isComment {
		return nil
	}
	name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(comment, "-->")), ":")
	value = strings.TrimSpace(value)
	switch name {
	case "not run":
		if value == "" {
			return errors.New("not run needs a reason")
		}
		b.NotRun = value
	case "until":
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("until: %w", err)
		}
		b.Until = d
	default:
		return fmt.Errorf("unknown comment %q above a command block: want \"not run\" or \"until\"", name)
	}
	return nil
}

func split(page string) ([]fence, error) {
	var out []fence
	var open *fence
	before, quiet, number := "", false, 0
	for raw := range strings.Lines(page) {
		number++
		line := strings.TrimRight(raw, "\r\n")
		mark, isFence := strings.CutPrefix(line, "```")
		switch {
		case open == nil && isFence:
			open = &fence{line: number + 1, language: strings.TrimSpace(mark), before: before, follows: quiet && len(out) > 0}
		case open != nil && isFence:
			out = append(out, *open)
			open, before, quiet = nil, "", true
		case open != nil:
			open.text += line + "\n"
		case strings.TrimSpace(line) != "":
			before, quiet = line, false
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block is not closed", open.line)
	}
	return out, nil
}
