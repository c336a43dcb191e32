package conf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/berth-ecs/berth/internal/failpoint"
	"github.com/berth-ecs/berth/nodeconf"
)

// journal keeps a configuration in a file: the whole of it, and a line for each change since. A process that is killed loses nothing that
// was written; of a machine that loses power, nothing that the configuration is about is left anyway, so changes do not wait for the disk itself.
type journal struct {
	path string
	file *os.File // nil: the next change writes the whole
	base int64    // size of the whole
	size int64
}

// slack is what changes may take beside a small configuration.
const slack = 256 << 10

// load reads what is there. What follows a line that is not whole was cut off; it is as if it had not been written.
func (j *journal) load() (*nodeconf.Config, error) {
	c := &nodeconf.Config{}
	data, err := os.ReadFile(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("conf: %w", err)
	}
	for line := range bytes.Lines(data) {
		d, err := parse(line)
		if err == nil {
			err = c.Apply(d)
		}
		if err != nil {
			break
		}
	}
	return c, nil // the first change that comes writes a new file
}

// append writes a change of what c was before it; c is what it is since.
func (j *journal) append(c *nodeconf.Config, d nodeconf.Delta) error {
	defer failpoint.Around(failpoint.KeepConf)()
	if j.file == nil || d.From == 0 || j.size > 2*j.base+slack {
		return j.rewrite(c)
	}
	line, err := render(d)
	if err != nil {
		return err
	}
	n, err := j.file.Write(line)
	j.size += int64(n)
	if err != nil {
		return j.broken(err)
	}
	return nil
}

// rewrite begins a new file with the whole.
func (j *journal) rewrite(c *nodeconf.Config) error {
	j.close()
	line, err := render(nodeconf.Delta{To: c.Version, Set: c.Resources})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(j.path), 0o700); err != nil {
		return j.broken(err)
	}
	next := j.path + ".new"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return j.broken(err)
	}
	if _, err = f.Write(line); err == nil {
		failpoint.Hit(failpoint.ConfWritten)
		err = os.Rename(next, j.path)
	}
	if err != nil {
		return j.broken(errors.Join(err, f.Close(), os.Remove(next)))
	}
	j.file, j.base, j.size = f, int64(len(line)), int64(len(line))
	return nil
}

// broken forgets the file: an older configuration than the one the node is would have it take down what runs.
func (j *journal) broken(err error) error {
	j.close()
	if rerr := os.Remove(j.path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return fmt.Errorf("conf: %w", err)
}

func (j *journal) close() {
	if j.file != nil {
		_ = j.file.Close() // all of it is written
		j.file = nil
	}
}

// A line is a checksum of eight digits, a blank and the change.
const sumDigits = 8

func render(d nodeconf.Delta) ([]byte, error) {
	body, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("conf: %w", err)
	}
	return fmt.Appendf(nil, "%0*x %s\n", sumDigits, crc32.ChecksumIEEE(body), body), nil
}

var errCut = errors.New("conf: the line is cut off")

func parse(line []byte) (nodeconf.Delta, error) {
	var d nodeconf.Delta
	line, whole := bytes.CutSuffix(line, []byte("\n"))
	if !whole || len(line) <= sumDigits {
		return d, errCut
	}
	sum, err := strconv.ParseUint(string(line[:sumDigits]), 16, 32)
	if body := line[sumDigits+1:]; err == nil && uint64(crc32.ChecksumIEEE(body)) == sum {
		return d, json.Unmarshal(body, &d)
	}
	return d, errCut
}
