// Command sampleweb is the web container of berth's sample service and of the documentation's examples.
//
// Guarantees:
//
//   - It answers every path with its version and the id of its task, and /health with "ok".
//   - /exit ends it at once with exit code 3: a crash on demand.
//   - With BACKEND, a URL, it answers /backend with what that answers, and 502 when that fails.
//   - With -check it asks the server of its own container and exits 0 when that is healthy: an image without a shell can
//     have a health check.
//   - With -get it shows what a URL answers, asking for some seconds, and ends.
//   - It ends within a second of SIGTERM, after the requests it has begun.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	check := flag.Bool("check", false, "ask the running server whether it is healthy")
	target := flag.String("get", "", "show what a URL answers")
	flag.Parse()
	address := ":" + cmp.Or(os.Getenv("PORT"), "8080")
	run := serve
	switch {
	case *check:
		run = probe
	case *target != "":
		run = func(string) error { return show(*target) }
	}
	if err := run(address); err != nil {
		fmt.Fprintln(os.Stderr, "sampleweb:", err)
		os.Exit(1)
	}
}

// crashed is the exit code of /exit: neither a usual one nor a signal's.
const crashed = 3

func serve(address string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	greeting := fmt.Sprintf("hello from task %s, version %s\n", taskID(ctx), cmp.Or(os.Getenv("VERSION"), "1"))
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s\n", r.Method, r.URL.Path)
		os.Exit(crashed)
	})
	if url := os.Getenv("BACKEND"); url != "" {
		mux.HandleFunc("/backend", backend(url))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s\n", r.Method, r.URL.Path)
		fmt.Fprint(w, greeting)
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("listening on %s: %s", address, greeting)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	fmt.Println("bye")
	return nil
}

// backend answers what a URL answers.
func backend(url string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := fetch(r.Context(), url)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, text)
	}
}

// taskID asks the task metadata endpoint; outside of ECS the host's name stands in.
func taskID(ctx context.Context) string {
	host, _ := os.Hostname() // an empty name still answers
	uri := os.Getenv("ECS_CONTAINER_METADATA_URI_V4")
	if uri == "" {
		return host
	}
	var task struct{ TaskARN string }
	if err := get(ctx, uri+"/task", &task); err != nil || task.TaskARN == "" {
		fmt.Fprintln(os.Stderr, "sampleweb: task metadata:", err)
		return host
	}
	return task.TaskARN[strings.LastIndexByte(task.TaskARN, '/')+1:]
}

func probe(address string) error {
	return get(context.Background(), "http://127.0.0.1"+address+"/health", nil)
}

func get(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// showWithin is how long an answer is waited for: what is asked may have begun to run only now.
const showWithin = 10 * time.Second

// show prints what a URL answers.
func show(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), showWithin)
	defer cancel()
	for {
		text, err := fetch(ctx, url)
		if err == nil {
			fmt.Print(text)
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func fetch(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	return string(body), err
}
