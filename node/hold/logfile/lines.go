package logfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

var (
	errPending = errors.New("logfile: what follows is not written yet")
	errStopped = errors.New("logfile: the consumer has enough")
)

// drain yields what the open file holds; false when the consumer or ctx stopped it.
func (r *reader) drain(ctx context.Context, yield func(Line, error) bool) bool {
	for looked := false; ctx.Err() == nil; {
		err := r.step(yield)
		switch {
		case err == nil:
			looked = false
		case errors.Is(err, errStopped):
			return false
		case !errors.Is(err, errPending):
			yield(Line{}, err)
			return false
		case looked:
			return true
		default: // what was read ahead may be older than what is there
			if _, err := r.f.Seek(r.off, io.SeekStart); err != nil {
				yield(Line{}, err)
				return false
			}
			r.in.Reset(r.f)
			looked = true
		}
	}
	return false
}

// step reads a head, a line of a chunk or as much of it as is buffered, or a record of before.
func (r *reader) step(yield func(Line, error) bool) error {
	first, err := r.in.Peek(1)
	if err != nil {
		return pending(err)
	}
	switch {
	case r.left > 0:
		return r.text(yield)
	case first[0] == 0:
		return errPending
	case first[0] == mark:
		return r.chunk(yield)
	}
	return r.record(yield)
}

func pending(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errUnwritten) {
		return errPending
	}
	return err
}

func (r *reader) advance(n int) {
	_, _ = r.in.Discard(n) // it was peeked at
	r.off += int64(n)
}

func (r *reader) chunk(yield func(Line, error) bool) error {
	b, err := r.in.Peek(HeadSize)
	if err == nil {
		r.head, err = parseHead(b)
	}
	if err != nil {
		return pending(err)
	}
	r.advance(HeadSize)
	if r.left = r.head.length; r.left > 0 {
		return nil
	}
	if l, ok := r.join.end(r.head.stream); ok && !yield(l, nil) {
		return errStopped
	}
	return nil
}

func (r *reader) text(yield func(Line, error) bool) error {
	b, err := r.in.Peek(min(r.in.Buffered(), r.left))
	if err != nil {
		return err
	}
	rec := record{at: r.head.at, stream: r.head.stream}
	room := MaxLine - r.join.length(rec.stream)
	n := bytes.IndexByte(b, '\n')
	if n >= 0 && n <= room {
		rec.text = b[:n]
		n++
	} else {
		n = min(len(b), room)
		rec.text, rec.partial = b[:n], room > 0
	}
	line, ok := r.join.add(rec)
	r.advance(n)
	r.left -= n
	if ok && !yield(line, nil) {
		return errStopped
	}
	return nil
}

func (r *reader) record(yield func(Line, error) bool) error {
	text, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return errors.New("logfile: a record is too long")
	}
	if err != nil {
		return pending(err)
	}
	r.off += int64(len(text))
	rec, err := parse(bytes.TrimSuffix(text, []byte("\n")))
	if err != nil {
		if !yield(Line{}, err) {
			return errStopped
		}
		return nil
	}
	rec.partial = rec.partial && r.join.length(rec.stream)+len(rec.text) < MaxLine
	if line, ok := r.join.add(rec); ok && !yield(line, nil) {
		return errStopped
	}
	return nil
}

// joiner makes lines of records, each stream's apart.
type joiner struct{ open map[string]*Line }

// length is that of a stream's open line.
func (j *joiner) length(stream string) int {
	if l := j.open[stream]; l != nil {
		return len(l.Text)
	}
	return 0
}

func (j *joiner) add(r record) (Line, bool) {
	if j.open == nil {
		j.open = map[string]*Line{}
	}
	l := j.open[r.stream]
	if l == nil {
		l = &Line{At: r.at, Stream: r.stream}
		j.open[r.stream] = l
	}
	l.Text = append(l.Text, r.text...)
	if r.partial {
		return Line{}, false
	}
	return j.end(r.stream)
}

// end ends a stream's open line, if there is one.
func (j *joiner) end(stream string) (Line, bool) {
	l := j.open[stream]
	if l == nil {
		return Line{}, false
	}
	delete(j.open, stream)
	return *l, true
}

// rest gives lines whose end was never written.
func (j *joiner) rest(yield func(Line, error) bool) {
	for _, stream := range []string{Stdout, Stderr} {
		if l := j.open[stream]; l != nil && !yield(*l, nil) {
			return
		}
	}
}
