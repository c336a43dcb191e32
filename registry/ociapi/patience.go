package ociapi

import (
	"io"
	"net/http"
	"time"
)

// silence is how long a connection may not move. The server's own limits are for whole requests, which layers outlast.
const silence = time.Minute

// patient puts the deadlines of a connection off whenever something moves.
func patient(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
	m := mover{http.NewResponseController(w)}
	m.moved()
	clone := r.WithContext(r.Context())
	clone.Body = body{r.Body, m}
	return writer{w, m}, clone
}

type mover struct{ conn *http.ResponseController }

// moved is about real time, as a socket's deadlines are. Recorders of tests have none.
func (m mover) moved() {
	at := time.Now().Add(silence)
	_ = m.conn.SetReadDeadline(at)
	_ = m.conn.SetWriteDeadline(at)
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
