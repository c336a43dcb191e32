package docs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Shell is one bash in which blocks are run one after the other.
type Shell struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	file string // the block that runs now
}

// endMark ends the output of a block; the status follows.
const endMark = "=== end of block, status "

// Start starts a shell in dir; scratch is a directory for its own use.
func Start(ctx context.Context, dir, scratch string, environ []string) (*Shell, error) {
	cmd := exec.CommandContext(ctx, "bash", "--noprofile", "--norc")
	cmd.Dir, cmd.Env = dir, environ
	// What a block leaves in the background is stopped with the shell.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Shell{cmd: cmd, in: in, out: bufio.NewReader(read), file: filepath.Join(scratch, "block.sh")}
	// -E: the trap holds in functions too. Blocks are sourced with an empty input, so that no command reads the script.
	_, err = io.WriteString(in, "set -E -o pipefail\ntrap 'bad=$?' ERR\n")
	return s, err
}

// Run runs one block and returns its output, standard error included.
func (s *Shell) Run(commands string) (output string, err error) {
	if err := os.WriteFile(s.file, []byte(commands), 0o600); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(s.in, "bad=0\nsource %q </dev/null\nprintf '\\n%s%%d\\n' \"$bad\"\n", s.file, endMark); err != nil {
		return "", err
	}
	var text strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return text.String(), fmt.Errorf("the shell ended: %w", err)
		}
		status, isEnd := strings.CutPrefix(line, endMark)
		if !isEnd {
			text.WriteString(line)
			continue
		}
		code, err := strconv.Atoi(strings.TrimSpace(status))
		if err == nil && code != 0 {
			err = fmt.Errorf("a command ended with status %d", code)
		}
		return text.String(), err
	}
}

// Close ends the shell.
func (s *Shell) Close() error {
	if err := s.in.Close(); err != nil {
		return err
	}
	return s.cmd.Wait()
}
