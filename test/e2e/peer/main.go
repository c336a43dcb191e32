// Command peer runs in the containers of the end-to-end tests when a shell is not enough: it answers on the ports it is told,
// and looks from inside its container at what the test names.
//
//	peer tcp:80 udp:53    HTTP on the first, echo on the second
//	peer get URL          exit status 0 when URL answers 200
//
// HTTP: /exit ends the program, / answers $ANSWER, /env?name= a variable, /get?url= what another address answers, /udp?to=&say= what a datagram brings back.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "get" {
		os.Exit(get(os.Args[2], io.Discard))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	for _, arg := range os.Args[1:] {
		network, port, _ := strings.Cut(arg, ":")
		if err := listen(network, port); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("asked to end")
}

func listen(network, port string) error {
	if network == "udp" {
		c, err := net.ListenPacket("udp4", ":"+port)
		if err == nil {
			go echo(c)
		}
		return err
	}
	l, err := net.Listen("tcp4", ":"+port)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("ANSWER")) })
	mux.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(1) })
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.FormValue("name"))) })
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) { get(r.FormValue("url"), w) })
	mux.HandleFunc("/udp", func(w http.ResponseWriter, r *http.Request) { send(r.FormValue("to"), r.FormValue("say"), w) })
	go http.Serve(l, mux) //nolint:errcheck // ends with the process
	return nil
}

func echo(c net.PacketConn) {
	b := make([]byte, 1024)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		_, _ = c.WriteTo([]byte(os.Getenv("ANSWER")+" "+string(b[:n])), from)
	}
}

// get passes an answer on and answers the exit status of the command.
func get(url string, w io.Writer) int {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		refuse(w, err)
		return 1
	}
	defer r.Body.Close()
	if h, ok := w.(http.ResponseWriter); ok {
		h.WriteHeader(r.StatusCode)
	}
	_, _ = io.Copy(w, r.Body)
	if r.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

func send(to, say string, w http.ResponseWriter) {
	c, err := net.Dial("udp4", to)
	if err != nil {
		refuse(w, err)
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	_, _ = io.WriteString(c, say)
	b := make([]byte, 1024)
	n, err := c.Read(b)
	if err != nil {
		refuse(w, err)
		return
	}
	_, _ = w.Write(b[:n])
}

func refuse(w io.Writer, err error) {
	if h, ok := w.(http.ResponseWriter); ok {
		http.Error(h, err.Error(), http.StatusBadGateway)
	}
}
