package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// Signer signs a request whose whole body is body.
type Signer interface {
	Sign(r *http.Request, body []byte)
}

// Web dials real web sockets, with a signed handshake.
type Web struct {
	Signer Signer       // required
	HTTP   *http.Client // optional
	Agent  string       // optional; User-Agent
}

// maxFrame bounds a frame of the server.
const maxFrame = 4 << 20

// Dial implements Dialer. url has the scheme http or https.
func (w *Web) Dial(ctx context.Context, url string) (Conn, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	w.Signer.Sign(r, nil)
	if w.Agent != "" {
		r.Header.Set("User-Agent", w.Agent)
	}
	//nolint:bodyclose // the library closes it, or has read it into memory
	c, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: w.HTTP, HTTPHeader: r.Header})
	if err == nil {
		c.SetReadLimit(maxFrame)
		return conn{c}, nil
	}
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("socket: %w", err)
	}
	return nil, refusal(resp)
}

// refusal reads {"<Exception>": "message"}, bare or as the message of a frame.
func refusal(resp *http.Response) *Refused {
	e := &Refused{Status: resp.StatusCode}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return e
	}
	e.Message = string(body)
	var frame struct {
		Type    string
		Message json.RawMessage
	}
	if json.Unmarshal(body, &frame) == nil && frame.Type != "" {
		e.Exception, e.Message = frame.Type, string(frame.Message)
		return e
	}
	var bare map[string]string
	if json.Unmarshal(body, &bare) == nil {
		for name, message := range bare {
			if strings.HasSuffix(name, "Exception") {
				e.Exception, e.Message = name, message
			}
		}
	}
	return e
}

type conn struct{ *websocket.Conn }

func (c conn) Read(ctx context.Context) ([]byte, error) {
	_, b, err := c.Conn.Read(ctx)
	return b, closed(err)
}

func (c conn) Write(ctx context.Context, frame []byte) error {
	return closed(c.Conn.Write(ctx, websocket.MessageText, frame))
}

func (c conn) Close(code int, reason string) {
	// The connection is given up either way.
	_ = c.Conn.Close(websocket.StatusCode(code), reason)
}

// closed turns the end of a connection into a *Closed; one without a close frame has code 1006.
func closed(err error) error {
	var ce websocket.CloseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ce):
		return &Closed{Code: int(ce.Code), Reason: ce.Reason}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Closed{Code: 1006, Reason: err.Error()}
	}
	return err
}

// Stream opens a web socket that carries bytes of another protocol. It ends with ctx.
func (w *Web) Stream(ctx context.Context, url string) (net.Conn, error) {
	c, err := w.Dial(ctx, url)
	if err != nil {
		return nil, err
	}
	return websocket.NetConn(ctx, c.(conn).Conn, websocket.MessageBinary), nil
}
