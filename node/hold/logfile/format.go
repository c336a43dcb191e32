// Package logfile writes and reads the files container output is kept in.
//
// A file is a row of chunks, each what was taken from one stream at once, as the
// container wrote it, behind a line that says when, of which stream, and how long
// it is:
//
//	@2026-01-02T15:04:05.123456789Z stdout 0000000012
//	hello
//	world
//
// Nothing of a chunk is looked at or copied when it is written: the kernel moves
// it from the FIFO into the file, and its head is written behind it, into the room
// left for it. A chunk without a head is not there yet for a reader. A chunk
// of no bytes ends its stream's open line. Files of before, one record a line in
// the format of Kubernetes' container runtimes, are read too, even in one file
// with chunks.
//
// Guarantees: a file grows to the size it was opened with and no further, then
// becomes the first of a bounded number of older ones; a reader makes lines of at
// most MaxLine bytes, keeps each stream's order, and follows rotation without
// losing or repeating a line.
package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// MaxLine bounds a line as read; a longer one is read as several.
	MaxLine = 256 << 10
	// HeadSize is the length of a chunk's head.
	HeadSize = 50

	mark         = '@'
	lengthDigits = 10
	stampLayout  = "2006-01-02T15:04:05.000000000Z"
)

// Streams of a container; of one length.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Line is one line a container wrote, without its newline.
type Line struct {
	At     time.Time // when its first bytes were taken
	Stream string
	Text   []byte
}

// Path is where the log of a task's container lies below dir.
func Path(dir, task, container string) string {
	return filepath.Join(dir, task, container+".log")
}

// Append puts text, taken from stream at the given time, onto dst as one chunk.
// Without text it ends the stream's open line.
func Append(dst []byte, at time.Time, stream string, text []byte) []byte {
	return append(appendHead(dst, head{at, stream, len(text)}), text...)
}

// head is what a chunk's first line says.
type head struct {
	at     time.Time
	stream string
	length int
}

func appendHead(dst []byte, h head) []byte {
	dst = append(dst, mark)
	dst = h.at.UTC().AppendFormat(dst, stampLayout)
	dst = append(dst, ' ')
	dst = append(dst, h.stream...)
	return fmt.Appendf(dst, " %0*d\n", lengthDigits, h.length)
}

// errUnwritten: the head is not all there.
var errUnwritten = errors.New("logfile: a chunk without a head")

func parseHead(b []byte) (head, error) {
	if bytes.IndexByte(b, 0) >= 0 { // a head has no such byte, and its room is full of them
		return head{}, errUnwritten
	}
	stamp, rest, _ := bytes.Cut(b[1:], []byte(" "))
	stream, length, _ := bytes.Cut(bytes.TrimSuffix(rest, []byte("\n")), []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return head{}, fmt.Errorf("logfile: time of a chunk: %w", err)
	}
	n, err := strconv.ParseUint(string(length), 10, 31)
	if err != nil {
		return head{}, fmt.Errorf("logfile: length of a chunk: %w", err)
	}
	return head{at, streamName(stream), int(n)}, nil
}

func streamName(b []byte) string {
	switch string(b) {
	case Stdout:
		return Stdout
	case Stderr:
		return Stderr
	}
	return string(b)
}

// record is a piece of a line.
type record struct {
	at      time.Time
	stream  string
	partial bool   // the line goes on
	text    []byte // of the input, not a copy
}

// parse reads one line of a file of before: "2026-01-02T15:04:05.123456789Z stdout F text", F where a line of the
// container's ends, P where it goes on.
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
	return record{at: at, stream: streamName(stream), partial: tag[0] == 'P', text: text}, nil
}
