// Command peer is a target: it runs in the tasks that the tests balance. It answers HTTP/1.1 and HTTP/2 without TLS on port 80, and echoes on port 81.
//
// / answers $ANSWER; /headers the request's; /slow takes ?for=, /busy says how many of those are asked; /get answers what ?url= does;
// what asks to be upgraded is echoed. SIGTERM ends it at once, as it does a program that does not handle it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// slow counts the requests that take long.
var slow atomic.Int32

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", answer)
	mux.HandleFunc("/headers", headers)
	mux.HandleFunc("/slow", linger)
	mux.HandleFunc("/get", get)
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, slow.Load()) })
	web := &http.Server{Addr: ":80", Handler: mux, Protocols: new(http.Protocols)}
	web.Protocols.SetHTTP1(true)
	web.Protocols.SetUnencryptedHTTP2(true)
	go fail(web.ListenAndServe)
	go fail(echo)
	fmt.Println("ready")
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	<-asked
	fmt.Println("asked to end with", slow.Load(), "slow requests")
}

func fail(serve func() error) {
	fmt.Fprintln(os.Stderr, serve())
	os.Exit(1)
}

func answer(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		upgrade(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	if r.Header.Get("Content-Type") == "application/grpc" {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = w.Write(make([]byte, 5)) // an empty message
		w.Header().Set("Grpc-Status", "0")
		return
	}
	fmt.Fprint(w, os.Getenv("ANSWER"))
}

func headers(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("Host", r.Host)
	_ = json.NewEncoder(w).Encode(r.Header)
}

func linger(w http.ResponseWriter, r *http.Request) {
	slow.Add(1)
	defer slow.Add(-1)
	d, _ := time.ParseDuration(r.FormValue("for"))
	<-time.After(d)
	fmt.Fprint(w, "after all")
}

func get(w http.ResponseWriter, r *http.Request) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	in, err := client.Get(r.FormValue("url"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer in.Body.Close()
	w.WriteHeader(in.StatusCode)
	_, _ = io.Copy(w, in.Body)
}

// upgrade answers as a WebSocket's server would, and echoes what comes.
func upgrade(w http.ResponseWriter, _ *http.Request) {
	c, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, strings.Join([]string{"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "", ""}, "\r\n"))
	_, _ = io.Copy(c, both)
}

func echo() error {
	l, err := net.Listen("tcp4", ":81")
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}
