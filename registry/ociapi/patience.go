package ociapi

import (
	"io"
	"net/http"
	"time"
)

// silence is how long a connection may not move. The server's own limits are for whole requests, which layers outlast.
const silence = time.Minute

// patient puts the deadlines of a connection off whenever something moves.
func patient(w http.ResponseWriter, r *http.Request, silence time.Duration) (http.ResponseWriter, *http.Request, mover) {
	m := mover{http.NewResponseController(w), silence}
	m.moved()
	clone := r.WithContext(r.Context())
	clone.Body = body{r.Body, m}
	return writer{w, m}, clone, m
}

type mover struct {
	conn    *http.ResponseController
	silence time.Duration
}

// moved is about real time, as a socket's deadlines are. Recorders of tests have none.
func (m mover) moved() {
	m.until(time.Now().Add(m.silence))
}

func (m mover) until(at time.Time) {
	_ = m.conn.SetReadDeadline(at)
	_ = m.conn.SetWriteDeadline(at)
}

// unhurried does what a client has to wait for that may take longer than silence: a large layer is read again, or brought to the
// disk. Nothing moves meanwhile, and that is not the client's fault.
func (m mover) unhurried(work func()) {
	m.until(time.Time{})
	defer m.moved()
	work()
}

type body struct {
	io.ReadCloser
	mover
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.moved()
	}
	return n, err
}

type writer struct {
	http.ResponseWriter
	mover
}

// largest is how much is written before the deadline is put off again.
const largest = 1 << 20

func (w writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		var k int
		w.moved()
		k, err = w.ResponseWriter.Write(p[:min(len(p), largest)])
		n, p = n+k, p[k:]
	}
	return n, err
}
