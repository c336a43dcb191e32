// Package logfile writes and reads the files container output is kept in.
//
// The format is the one Kubernetes' container runtimes use, one record a line:
//
//	2026-01-02T15:04:05.123456789Z stdout F text
//
// F ends a line of the container's, P says the line goes on in the stream's next
// record. Guarantees: a record holds at most MaxRecord bytes of text; a file
// grows to the size it was opened with and no further, then becomes the first of
// a bounded number of older ones; a reader joins records to lines of at most
// MaxLine bytes, keeps each stream's order, and follows rotation without losing
// or repeating a line.
package logfile

import (
	"bytes"
	"fmt"
	"path/filepath"
	"time"
)

const (
	// MaxRecord bounds the text of one record.
	MaxRecord = 16 << 10
	// MaxLine bounds a line as read; a longer one is read as several.
	MaxLine = 256 << 10

	stampLayout = "2006-01-02T15:04:05.000000000Z"
)

// Streams of a container.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Line is one line a container wrote, without its newline.
type Line struct {
	At     time.Time // when its first bytes were read
	Stream string
	Text   []byte
}

// Path is where the log of a task's container lies below dir.
func Path(dir, task, container string) string {
	return filepath.Join(dir, task, container+".log")
}

// Append formats text, read from stream at the given time, onto dst. partial
// reports whether its last line goes on.
func Append(dst []byte, at time.Time, stream string, text []byte) (out []byte, partial bool) {
	var stamp [len(stampLayout)]byte
	head := at.UTC().AppendFormat(stamp[:0], stampLayout)
	for len(text) > 0 {
		line, tag, skip := text, byte('P'), 0
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, tag, skip = text[:i], 'F', 1
		}
		if len(line) > MaxRecord {
			line, tag, skip = line[:MaxRecord], 'P', 0
		}
		dst = appendRecord(dst, head, mark{stream, tag}, line)
		text, partial = text[len(line)+skip:], tag == 'P'
	}
	return dst, partial
}

// AppendEnd ends a line that was left partial.
func AppendEnd(dst []byte, at time.Time, stream string) []byte {
	return appendRecord(dst, at.UTC().AppendFormat(nil, stampLayout), mark{stream, 'F'}, nil)
}

// mark is what a record says of its text.
type mark struct {
	stream string
	tag    byte // F or P
}

func appendRecord(dst, head []byte, m mark, text []byte) []byte {
	dst = append(dst, head...)
	dst = append(dst, ' ')
	dst = append(dst, m.stream...)
	dst = append(dst, ' ', m.tag, ' ')
	dst = append(dst, text...)
	return append(dst, '\n')
}

// record is one parsed line of a file.
type record struct {
	at      time.Time
	stream  string
	partial bool
	text    []byte // of the input, not a copy
}

func parse(line []byte) (record, error) {
	stamp, rest, ok1 := bytes.Cut(line, []byte(" "))
	stream, rest, ok2 := bytes.Cut(rest, []byte(" "))
	tag, text, ok3 := bytes.Cut(rest, []byte(" "))
	if !ok1 || !ok2 || !ok3 || len(tag) != 1 || (tag[0] != 'P' && tag[0] != 'F') {
		return record{}, fmt.Errorf("logfile: not a record: %.80q", line)
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return record{}, fmt.Errorf("logfile: time of a record: %w", err)
	}
	return record{at: at, stream: string(stream), partial: tag[0] == 'P', text: text}, nil
}
