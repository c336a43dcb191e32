package hold

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A conversation is one request and one answer, each a JSON object in one
// message, with at most one file descriptor beside it.

type request struct {
	Version   int    `json:"version"`
	Op        string `json:"op"`
	Container string `json:"container,omitempty"` // open, close
	Name      string `json:"name,omitempty"`      // open
	ID        string `json:"id,omitempty"`        // log, logdone
	Task      string `json:"task,omitempty"`      // remove
	Key       string `json:"key,omitempty"`       // keep, listener, forget; hello: the last one that was told
	WaitMS    int64  `json:"waitMs,omitempty"`    // close: how long an end of output is waited for
}

const (
	opHello    = "hello"
	opWatch    = "watch" // answered, then left open: it breaks when hold ends
	opQuit     = "quit"
	opOpen     = "open"
	opClose    = "close"
	opLog      = "log"
	opLogDone  = "logdone"
	opRemove   = "remove"
	opKeep     = "keep"
	opListener = "listener"
	opForget   = "forget"
)

type answer struct {
	Version int    `json:"version"`
	Error   string `json:"error,omitempty"`
	Pid     int    `json:"pid,omitempty"`
	Stdout  string `json:"stdout,omitempty"`
	Stderr  string `json:"stderr,omitempty"`
	Path    string `json:"path,omitempty"`
	Found   bool   `json:"found,omitempty"`

	Keys []string `json:"keys,omitempty"` // hello: the sockets that are kept, in order
	More bool     `json:"more,omitempty"` // hello: there are others behind the last of Keys
}

const maxMessage = 64 << 10

// maxKeys is how many bytes of keys an answer has; each is written in no more than six times its length.
const maxKeys = maxMessage / 8

func send(c *net.UnixConn, v any, f *os.File) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) > maxMessage {
		return fmt.Errorf("hold: a message of %d bytes is too large", len(text))
	}
	var rights []byte
	if f != nil {
		if rights, err = rightsOf(f); err != nil {
			return err
		}
	}
	_, _, err = c.WriteMsgUnix(text, rights, nil)
	return err
}

// rightsOf is f's descriptor as a control message. Not by f.Fd: that would make the description blocking, also for the
// listener it was taken from, which then could not be closed while it accepts.
func rightsOf(f *os.File) (rights []byte, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	err = raw.Control(func(fd uintptr) { rights = unix.UnixRights(int(fd)) })
	return rights, err
}

// receive reads one message; the file, when there is one, is the caller's.
func receive(c *net.UnixConn, v any) (*os.File, error) {
	text, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, rn, _, _, err := c.ReadMsgUnix(text, rights)
	if err != nil {
		return nil, err
	}
	f, err := file(rights[:rn])
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text[:n], v); err != nil {
		err = fmt.Errorf("hold: message: %w", err)
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		return nil, err
	}
	return f, nil
}

func file(rights []byte) (*os.File, error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			return os.NewFile(uintptr(fd), "handed over"), nil
		}
	}
	return nil, nil
}
