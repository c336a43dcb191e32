package tryout

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/berth-ecs/berth/cmd/berth/background"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/node/network/lan"
)

// front is the endpoint of the region on this machine: it hands each connection to a server, and carries what goes over slow links.
type front struct {
	*Region
	log *slog.Logger

	mu     sync.Mutex
	plan   Plan
	ready  map[string]bool               // servers, as they said last
	open   map[string]map[io.Closer]bool // connections to each
	relays map[string]*lan.Relay         // by machine
	asked  map[string]*http.Client       // by machine: how each is asked
}

func (r *Region) socket() string { return filepath.Join(r.Settings.RunDir, "hosts.sock") }

// againPath has the front read the plan again.
const againPath = "/again"

// Front runs it until ctx ends.
func (r *Region) Front(ctx context.Context, log *slog.Logger) error {
	release, err := background.Hold(r.Settings.PIDFile())
	if err != nil {
		return err
	}
	defer release()
	f := &front{
		Region: r, log: log, ready: map[string]bool{}, open: map[string]map[io.Closer]bool{}, relays: map[string]*lan.Relay{}, asked: map[string]*http.Client{},
	}
	if err := f.read(); err != nil {
		return err
	}
	defer f.straighten()
	clients, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Settings.Listen)
	if err != nil {
		return err
	}
	if err := os.Remove(r.socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	commands, err := (&net.ListenConfig{}).Listen(ctx, "unix", r.socket())
	if err != nil {
		return errors.Join(err, clients.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.look(ctx) })
	group.Go(func() error { return f.accept(ctx, clients) })
	group.Go(func() error { return f.obey(ctx, commands) })
	group.Go(func() error {
		<-ctx.Done()
		return errors.Join(clients.Close(), commands.Close())
	})
	return group.Wait()
}

// obey answers commands of this installation.
func (f *front) obey(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+againPath, func(w http.ResponseWriter, _ *http.Request) {
		if err := f.read(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	err := (&http.Server{Handler: mux, ReadHeaderTimeout: time.Second}).Serve(l)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it is closed because ctx ended
	}
	return err
}

// read reads the plan: links get their shape, and who is off the wire loses its connections.
func (f *front) read() error {
	p, err := load(f.Settings.DataDir)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = p
	var errs []error
	there := map[string]bool{}
	for _, m := range p.Machines {
		there[m.Name] = !m.Lost
		errs = append(errs, f.bend(m))
		if m.Lost || m.Link.Cut {
			f.drop(m.Name)
		}
	}
	for name := range f.relays {
		if !there[name] {
			errs = append(errs, f.unbend(name))
			f.drop(name)
		}
	}
	return errors.Join(errs...)
}

// bend gives a machine's link its shape.
func (f *front) bend(m Machine) error {
	s := lan.Shape{Delay: m.Link.Delay, Jitter: m.Link.Jitter, Loss: m.Link.Loss}
	relay := f.relays[m.Name]
	switch {
	case s == lan.Shape{} || m.Lost:
		return f.unbend(m.Name)
	case relay != nil:
		relay.Set(s)
		return nil
	}
	relay, err := f.wire().Relay(m.Name, s)
	if err == nil {
		f.relays[m.Name] = relay
	}
	return err
}

func (f *front) unbend(name string) error {
	relay := f.relays[name]
	delete(f.relays, name)
	if relay == nil {
		return nil
	}
	return relay.Close()
}

// straighten takes the relays away: they would end with this process.
func (f *front) straighten() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.relays {
		if err := f.unbend(name); err != nil {
			f.log.Warn("a link stays cut", "machine", name, "error", err)
		}
	}
}

// drop ends the connections to a server.
func (f *front) drop(name string) {
	for c := range f.open[name] {
		_ = c.Close()
	}
	delete(f.open, name)
	delete(f.ready, name)
}

// lookEvery is how often servers are asked whether they are ready.
const lookEvery = 500 * time.Millisecond

// look asks the servers again and again.
func (f *front) look(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		var asking sync.WaitGroup
		for _, m := range f.reachable() {
			asking.Go(func() {
				ok, _ := f.Region.ready(ctx, f.ask(m))
				f.mu.Lock()
				defer f.mu.Unlock()
				f.ready[m.Name] = ok
			})
		}
		asking.Wait()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ask is how a server is asked.
func (f *front) ask(m Machine) *http.Client {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked[m.Name] == nil {
		f.asked[m.Name] = f.client(m)
	}
	return f.asked[m.Name]
}

// reachable are the servers on the wire: the ones that are ready first.
func (f *front) reachable() []Machine {
	f.mu.Lock()
	defer f.mu.Unlock()
	var good, bad []Machine
	for _, m := range f.plan.of(joining.Server) {
		switch {
		case m.Lost || m.Link.Cut:
		case f.ready[m.Name]:
			good = append(good, m)
		default:
			bad = append(bad, m)
		}
	}
	return append(good, bad...)
}
