package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/berth-ecs/berth/node/network/netspace/spacetest"
	"github.com/berth-ecs/berth/test/hosts"
	"github.com/berth-ecs/berth/test/rounds"
)

// pair is one witness asking another, on another machine.
type pair struct {
	from, to *hosts.Host
	pid      int    // of the one that asks: its namespace
	address  string // of the one that answers
}

// pairUp has each witness ask the next.
func (w *world) pairUp() {
	w.t.Helper()
	live, err := w.live(w.t.Context(), w.ecs[0])
	if err != nil {
		w.t.Fatal(err)
	}
	var all []pair
	for _, t := range live {
		if aws.ToString(t.Group) != "service:"+witness {
			continue
		}
		h, id := w.at[aws.ToString(t.ContainerInstanceArn)], rounds.ShortID(aws.ToString(t.TaskArn))
		prints := rounds.Inits(h.Name)[id+"-0"]
		if len(prints) != 1 {
			w.t.Fatalf("witness %s has processes %v", id, prints)
		}
		all = append(all, pair{from: h, pid: prints[0].PID, address: detail(t, "privateIPv4Address")})
	}
	slices.SortFunc(all, func(a, b pair) int { return strings.Compare(a.from.Name, b.from.Name) })
	w.pairs = nil
	for i, p := range all {
		next := all[(i+1)%len(all)]
		w.pairs = append(w.pairs, pair{p.from, next.from, p.pid, next.address})
	}
}

// ask makes a connection and a request over it.
func (p pair) ask(ctx context.Context) error {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(ctx context.Context, network, at string) (conn net.Conn, err error) {
			err = spacetest.InPath(fmt.Sprintf("/proc/%d/ns/net", p.pid), func() (err error) {
				conn, err = (&net.Dialer{}).DialContext(ctx, network, at)
				return err
			})
			return conn, err
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/", nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	if err == nil && strings.TrimSpace(string(body)) != "alive" {
		err = fmt.Errorf("%s answers %q", p.address, body)
	}
	return err
}

// watch has the witnesses ask each other until end, which answers what went wrong between machines whose links nothing was done to.
func (w *world) watch(f fault) (end func() []string) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var asking sync.WaitGroup
	var mu sync.Mutex
	var wrong []string
	for _, p := range w.pairs {
		if f.touches(w, p.from) || f.touches(w, p.to) {
			continue
		}
		asking.Go(func() {
			for ctx.Err() == nil {
				begun := time.Now()
				if err := p.ask(ctx); err != nil && ctx.Err() == nil {
					mu.Lock()
					wrong = append(wrong, fmt.Sprintf("a task on %s asks one on %s: %v after %v", p.from.Name, p.to.Name, err, time.Since(begun)))
					mu.Unlock()
				}
				rounds.Wait(ctx, 60*time.Millisecond)
			}
		})
	}
	return func() []string { cancel(); asking.Wait(); return wrong }
}

// speak: every pair reaches each other, whatever was done to them before.
func (w *world) speak(ctx context.Context) error {
	var errs []error
	for _, p := range w.pairs {
		if err := p.ask(ctx); err != nil {
			errs = append(errs, fmt.Errorf("a task on %s asks one on %s: %w", p.from.Name, p.to.Name, err))
		}
	}
	return errors.Join(errs...)
}
