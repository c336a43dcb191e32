package sigv4

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"time"
)

// The agent's telemetry frames are a signed block of HTTP headers, an empty line and the payload. What is signed is a GET of the URL the
// websocket was opened with, whose body is the payload.

// maxBlock bounds a frame's header block before it is parsed.
const maxBlock = 16 << 10

// VerifyFrame proves a frame that came on the websocket opened by upgrade and returns its payload, a part of frame.
func (v *Verifier) VerifyFrame(upgrade *http.Request, frame []byte) (payload []byte, id Identity, err error) {
	block, payload, ok := bytes.Cut(frame, []byte("\r\n\r\n"))
	if !ok || len(block) > maxBlock {
		return nil, Identity{}, refuse(Missing, "The frame does not begin with a block of signed headers.")
	}
	header, err := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(block), bytes.NewReader([]byte("\r\n\r\n"))))).ReadMIMEHeader()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, Identity{}, refuse(Incomplete, "The frame's header block is malformed.")
	}
	r := &http.Request{Method: http.MethodGet, URL: upgrade.URL, Host: upgrade.Host, Header: http.Header(header)}
	s, err := Parse(&http.Request{URL: &url.URL{}, Header: r.Header})
	if err != nil {
		return nil, Identity{}, err
	}
	if id, err = v.Check(s, r, payload); err != nil {
		return nil, Identity{}, err
	}
	return payload, id, nil
}

// Frame makes a frame for the websocket that is open to u.
func (s Signer) Frame(u *url.URL, payload []byte, now time.Time) ([]byte, error) {
	r := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
	s.Sign(r, payload, now)
	r.Header.Set("Host", r.Host)
	var b bytes.Buffer
	if err := r.Header.Write(&b); err != nil {
		return nil, err
	}
	b.WriteString("\r\n")
	b.Write(payload)
	return b.Bytes(), nil
}
