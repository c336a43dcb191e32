package socket

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
)

type headerSigner struct{}

func (headerSigner) Sign(r *http.Request, _ []byte) {
	r.Header.Set("Authorization", "signed "+r.URL.RawQuery)
}

func TestDial(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bare":
			http.Error(w, `{"InactiveInstanceException":"gone"}`, http.StatusBadRequest)
			return
		case "/framed":
			http.Error(w, `{"type":"AccessDeniedException","message":{"message":"no"}}`, http.StatusForbidden)
			return
		case "/odd":
			http.Error(w, "nonsense", http.StatusBadGateway)
			return
		}
		if r.Header.Get("Authorization") != "signed a=b" {
			t.Errorf("handshake with %q", r.Header.Get("Authorization"))
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, b, err := c.Read(r.Context())
		if err != nil || string(b) != "ping" {
			t.Errorf("read %q, %v", b, err)
		}
		if err := c.Write(r.Context(), websocket.MessageText, []byte("pong")); err != nil {
			t.Error(err)
		}
		if err := c.Close(websocket.StatusGoingAway, "bye"); err != nil {
			t.Log(err)
		}
	}))
	defer s.Close()
	w := &Web{Signer: headerSigner{}}
	c, err := w.Dial(t.Context(), s.URL+"/ws?a=b")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), []byte("ping")); err != nil {
		t.Error(err)
	}
	if b, err := c.Read(t.Context()); err != nil || string(b) != "pong" {
		t.Errorf("read %q, %v", b, err)
	}
	var closed *Closed
	if _, err := c.Read(t.Context()); !errors.As(err, &closed) || closed.Code != 1001 || closed.Reason != "bye" {
		t.Errorf("closed with %v", err)
	}
	for path, want := range map[string]string{"/bare": "InactiveInstanceException", "/framed": "AccessDeniedException", "/odd": ""} {
		var r *Refused
		if _, err := w.Dial(t.Context(), s.URL+path); !errors.As(err, &r) || r.Exception != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	s.Close()
	if _, err := w.Dial(t.Context(), s.URL); err == nil {
		t.Error("dialled a server that is not there")
	}
}
