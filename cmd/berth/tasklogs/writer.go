package tasklogs

import (
	"bytes"
	"io"
	"sync"
)

// writer writes whole lines, one at a time.
type writer struct {
	mu       sync.Mutex
	w        io.Writer
	prefixed bool
}

func (o *writer) line(container string, text []byte) error {
	var b bytes.Buffer
	if o.prefixed {
		b.WriteString(container + " | ")
	}
	b.Write(text)
	b.WriteByte('\n')
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.w.Write(b.Bytes())
	return err
}
