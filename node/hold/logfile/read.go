package logfile

import (
	"bufio"
	"context"
	"errors"
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
	off  int64 // of f: what is before it was read
	head head  // of the chunk that is read
	left int   // of its bytes
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
	r.f, r.in, r.off, r.left = f, bufio.NewReaderSize(f, 64<<10), 0, 0
}

// oldest opens the oldest file there is.
func (r *reader) oldest() (bool, error) {
	f, _, err := r.before(0)
	if f != nil {
		r.use(f)
	}
	return f != nil, err
}

// newer opens the file that follows the open one; nil when that is the current.
func (r *reader) newer() (*os.File, error) {
	for {
		mine, links, err := identity(r.f)
		if err != nil {
			return nil, err
		}
		next, found, err := r.before(mine)
		if err != nil || found || links == 0 { // without a name it is rotated out: the oldest follows
			return next, err
		}
		if next != nil { // our file was between two names
			next.Close()
		}
	}
}

// before looks from the current file back to the one that is stop, and opens the
// last it meets before that; found tells whether it met stop. Files move one
// name back while we look, so none is missed, but a name may be free for a
// moment.
func (r *reader) before(stop uint64) (next *os.File, found bool, err error) {
	for i, missing := 0, 0; missing < 2; i++ {
		f, err := os.Open(older(r.path, i))
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		missing = 0
		var id uint64
		if err == nil {
			id, _, err = identity(f)
		}
		if err != nil || id == stop {
			if f != nil {
				f.Close()
			}
			return next, err == nil, err
		}
		if next != nil {
			next.Close()
		}
		next = f
	}
	return next, false, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func identity(f *os.File) (inode uint64, links uint64, err error) {
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	return st.Ino, uint64(st.Nlink), err //nolint:unconvert // 32 bits elsewhere
}
