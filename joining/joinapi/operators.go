package joinapi

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/wire/sigv4"

	"github.com/berth-ecs/berth/internal/authority"
)

// How long tickets may be good.
const (
	ticketLife  = time.Hour
	longestLife = 7 * 24 * time.Hour
)

// ticket makes one.
func (a *API) ticket(r *http.Request, in joining.TicketRequest) (joining.TicketAnswer, error) {
	var none joining.TicketAnswer
	caller, err := a.root(r)
	if err != nil {
		return none, err
	}
	if a.Endpoint == "" {
		return none, refuse(http.StatusConflict, "this server has no TLS endpoint that machines could join at: set agent-listen")
	}
	o, err := a.offer(in, caller)
	if err != nil {
		return none, err
	}
	random := make([]byte, 30)
	if _, err := io.ReadFull(a.Random, random); err != nil {
		return none, err
	}
	t, err := joining.NewTicket(random, authority.Print(a.Authority.Certificate()))
	if err != nil {
		return none, err
	}
	o.ID, o.Hash = t.ID, t.Hash()
	if err := a.Store.Update(r.Context(), func(tx store.Tx) error { tables.Offers.Put(tx, &o); return nil }); err != nil {
		return none, err
	}
	servers, err := a.urls(r)
	return joining.TicketAnswer{Ticket: t.String(), Servers: servers}, err
}

// offer is what a ticket that was asked for is good for.
func (a *API) offer(in joining.TicketRequest, caller sigv4.Identity) (joining.Offer, error) {
	var o joining.Offer
	role, err := joining.ParseRole(string(in.Role))
	if err != nil {
		return o, refuse(http.StatusBadRequest, "Role: %v", err)
	}
	life := time.Duration(in.Seconds) * time.Second
	if in.Seconds == 0 {
		life = ticketLife
	}
	if life < 0 || life > longestLife {
		return o, refuse(http.StatusBadRequest, "Seconds: a ticket is good for 1 second to %s", longestLife)
	}
	h := joining.Home{Account: in.Account, Region: in.Region}
	if h.Account == "" {
		h.Account = caller.Key.Account
	}
	if h.Region == "" {
		h.Region = caller.Scope.Region
	}
	if !slices.Contains(a.Accounts, h.Account) {
		return o, refuse(http.StatusBadRequest, "Account: %q is not an account of this installation", h.Account)
	}
	if role == joining.Server {
		h = joining.Home{}
	}
	return joining.Offer{Role: role, Home: h, Expires: a.Now().Add(life)}, nil
}

// urls are where machines join, this server first.
func (a *API) urls(r *http.Request) ([]string, error) {
	places, err := a.allPlaces(r)
	out := []string{a.Endpoint}
	for _, p := range places {
		if u := "https://" + p.Address; u != a.Endpoint {
			out = append(out, u)
		}
	}
	return out, err
}

// fleet answers who is part of the installation.
func (a *API) fleet(r *http.Request, _ struct{}) (joining.Fleet, error) {
	out := joining.Fleet{Machines: []joining.Machine{}, Servers: []joining.ServerState{}}
	if _, err := a.root(r); err != nil {
		return out, err
	}
	states, err := a.Members.States(r.Context())
	if err != nil {
		return out, refuse(http.StatusConflict, "%v", err)
	}
	err = a.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		for _, m := range tables.Machines.List(tx, store.Installation().Prefix(), "") {
			out.Machines = append(out.Machines, *m)
		}
		for _, s := range states {
			if p, ok := tables.Places.Peek(tx, store.Installation().Key(s.Name)); ok {
				s.Address, s.Version = p.Address, p.Version
			}
			out.Servers = append(out.Servers, s)
		}
		return nil
	})
	return out, err
}

// remove ends a machine.
func (a *API) remove(r *http.Request, _ struct{}) (struct{}, error) {
	var none struct{}
	if _, err := a.root(r); err != nil {
		return none, err
	}
	id, was := r.PathValue("id"), false
	if err := a.Store.Update(r.Context(), func(tx store.Tx) error { was = tables.Remove(tx, id); return nil }); err != nil {
		return none, err
	}
	left, err := a.withdraw(r.Context(), id) // also of one that was removed by a call that was cut off
	if err != nil {
		return none, err
	}
	if !was && left == 0 {
		return none, refuse(http.StatusNotFound, "there is no machine %q", id)
	}
	a.Log.Info("a machine was removed", "machine", id, "instances", left)
	return none, nil
}

func (a *API) withdraw(ctx context.Context, machine string) (int, error) {
	if a.Withdraw == nil {
		return 0, nil
	}
	return a.Withdraw(ctx, machine)
}

// removeServer ends a server: its part of the store, its place, and its certificate.
func (a *API) removeServer(r *http.Request, _ struct{}) (struct{}, error) {
	var none struct{}
	if _, err := a.root(r); err != nil {
		return none, err
	}
	name := r.PathValue("name")
	ctx, cancel := context.WithTimeout(r.Context(), memberPatience)
	defer cancel()
	if err := a.Members.RemoveMember(ctx, name); err != nil && !a.halfRemoved(r, name) {
		return none, refuse(http.StatusConflict, "%v", err)
	}
	err := a.Store.Update(r.Context(), func(tx store.Tx) error {
		if p, ok := tables.Places.Get(tx, store.Installation().Key(name)); ok {
			tables.Places.Delete(tx, store.Installation().Key(name))
			tables.Remove(tx, p.Machine)
		}
		return nil
	})
	if err == nil {
		a.Log.Info("a server was removed", "server", name)
	}
	return none, err
}

// halfRemoved tells whether a server is known that keeps the store no more: whoever removed it was cut off.
func (a *API) halfRemoved(r *http.Request, name string) bool {
	states, err := a.Members.States(r.Context())
	if err != nil || slices.ContainsFunc(states, func(s joining.ServerState) bool { return s.Name == name }) {
		return false
	}
	known := false
	err = a.Store.View(r.Context(), store.Fresh, func(tx store.Tx) error {
		_, known = tables.Places.Peek(tx, store.Installation().Key(name))
		return nil
	})
	return err == nil && known
}

// backup sends a copy of the store.
func (a *API) backup(w http.ResponseWriter, r *http.Request) {
	if _, err := a.root(r); err != nil {
		a.fail(w, r, err)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a large one takes longer than an answer may; recorders have none
	w.Header().Set("Content-Type", "application/octet-stream")
	begun := &counting{Writer: w}
	switch err := a.Members.Backup(r.Context(), begun); {
	case err == nil:
	case begun.n == 0:
		w.Header().Del("Content-Type")
		a.fail(w, r, refuse(http.StatusConflict, "%v", err))
	default:
		a.Log.Warn("backup", "error", err)
		panic(http.ErrAbortHandler) // the client sees that it is not whole
	}
}

// counting knows how much was written.
type counting struct {
	io.Writer
	n int
}

// Write implements io.Writer.
func (c *counting) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += n
	return n, err
}
