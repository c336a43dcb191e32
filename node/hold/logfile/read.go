package logfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"

	"golang.org/x/sys/unix"
)

// Read gives the lines of a container's log, oldest first, to its present end.
// A log that does not exist has none.
func Read(ctx context.Context, dir, task, container string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		r := &reader{path: Path(dir, task, container)}
		defer r.close()
		if !r.toEnd(ctx, yield) {
			return
		}
		r.join.rest(yield)
	}
}

// reader goes through a log's files from the oldest to the current one. It
// knows the file it reads by its inode, so rotation does not confuse it.
type reader struct {
	path string
	f    *os.File
	in   *bufio.Reader
	tail []byte // a record whose end is not written yet
	join joiner
}

func (r *reader) close() {
	if r.f != nil {
		r.f.Close()
		r.f = nil
	}
}

// toEnd yields every line up to the current end; false when the consumer or ctx stopped it.
func (r *reader) toEnd(ctx context.Context, yield func(Line, error) bool) bool {
	for {
		if r.f == nil {
			if ok, err := r.oldest(); err != nil {
				yield(Line{}, err)
				return false
			} else if !ok {
				return true
			}
		}
		if !r.drain(ctx, yield) {
			return false
		}
		// Whether there is a newer file is decided before the last look at this
		// one: once it is older, nothing is appended to it.
		newer, err := r.newer()
		if err != nil {
			yield(Line{}, err)
			return false
		}
		if newer == nil {
			return true
		}
		if !r.drain(ctx, yield) {
			newer.Close()
			return false
		}
		r.use(newer)
	}
}

func (r *reader) use(f *os.File) {
	r.close()
	r.f, r.in, r.tail = f, bufio.NewReaderSize(f, 64<<10), nil
}

// drain yields what the open file holds.
func (r *reader) drain(ctx context.Context, yield func(Line, error) bool) bool {
	for ctx.Err() == nil {
		line, err := r.in.ReadSlice('\n')
		if len(r.tail)+len(line) > 2*MaxRecord { // not ours: records are bounded
			yield(Line{}, errors.New("logfile: a record is too long"))
			return false
		}
		if err != nil {
			r.tail = append(r.tail, line...)
			if errors.Is(err, io.EOF) {
				return true
			}
			yield(Line{}, err)
			return false
		}
		if len(r.tail) > 0 {
			line = append(r.tail, line...)
			r.tail = nil
		}
		if !r.line(bytes.TrimSuffix(line, []byte("\n")), yield) {
			return false
		}
	}
	return false
}

func (r *reader) line(text []byte, yield func(Line, error) bool) bool {
	rec, err := parse(text)
	if err != nil {
		return yield(Line{}, err)
	}
	line, ok := r.join.add(rec)
	return !ok || yield(line, nil)
}

// oldest opens the oldest file there is.
func (r *reader) oldest() (bool, error) {
	last := 0
	for ; exists(older(r.path, last+1)); last++ { //nolint:revive // counts
	}
	for i := last; i >= 0; i-- {
		f, err := os.Open(older(r.path, i))
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated out meanwhile, or not begun
		}
		if err != nil {
			return false, err
		}
		r.use(f)
		return true, nil
	}
	return false, nil
}

// newer opens the file that follows the open one; nil when that is the current.
func (r *reader) newer() (*os.File, error) {
	mine, err := inode(r.f)
	if err != nil {
		return nil, err
	}
	var next *os.File
	for i := 0; ; i++ {
		f, err := os.Open(older(r.path, i))
		if errors.Is(err, fs.ErrNotExist) {
			if i == 0 {
				continue // between two renames
			}
			return next, nil // ours is rotated out: go on with the oldest
		}
		if err != nil {
			return nil, err
		}
		n, err := inode(f)
		if err != nil || n == mine {
			return next, errors.Join(err, f.Close())
		}
		if next != nil {
			next.Close()
		}
		next = f
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func inode(f *os.File) (uint64, error) {
	var st unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &st)
	return st.Ino, err
}

// joiner makes lines of records, each stream's apart.
type joiner struct{ open map[string]*Line }

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
	if r.partial && len(l.Text) < MaxLine {
		return Line{}, false
	}
	delete(j.open, r.stream)
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
