// Package tables is where the records of machines live in the store: their typed tables, and what the API and the servers' checks share inside a
// transaction.
//
// Guarantees: every function takes a store.Tx and does no other I/O; it reads time and identifiers from the Tx. Functions that write state
// the number of keys they touch.
package tables

import (
	"bytes"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/store"
)

var all = store.Installation()

// The tables.
var (
	Offers = store.Define(store.Def[joining.Offer]{Name: "joining.offer", Version: 2,
		Key: func(o *joining.Offer) string { return all.Key(o.ID) }})
	Machines = store.Define(store.Def[joining.Machine]{Name: "joining.machine", Version: 1,
		Key: func(m *joining.Machine) string { return all.Key(m.ID) }})
	Passes = store.Define(store.Def[joining.Pass]{Name: "joining.pass", Version: 1,
		Key: func(p *joining.Pass) string { return all.Key(p.AccessKey) }})
	Places = store.Define(store.Def[joining.Place]{Name: "joining.place", Version: 2,
		Key: func(p *joining.Place) string { return all.Key(p.Name) }})
	Owners = store.Define(store.Def[joining.Owner]{Name: "joining.owner", Version: 1,
		Key: func(*joining.Owner) string { return ownerKey }})
)

var ownerKey = all.Key("owner")

// passesOf finds the keys of a machine.
var passesOf = store.NewIndex(Passes, "machine", func(p *joining.Pass) []string { return []string{p.Machine} })

// Schema is every table of this wing.
func Schema() store.Schema { return store.Schema{Offers, Machines, Passes, Places, Owners} }

// The refusals. They say the same of a ticket that never was, was used, has ended or is another's: nothing is to be found out.
var (
	ErrTicket  = errors.New("the ticket is not known: it was used, has ended, or was never made; berth ticket makes another")
	ErrMachine = errors.New("the machine is not known: it was removed")
	ErrOwner   = errors.New("the records are another installation's")
	ErrName    = errors.New("another server has this name")
	ErrRelease = errors.New("the programs do not work together")
)

// Claim says whose the records are, or that they are another's (1 key).
func Claim(tx store.Tx, authority []byte) error {
	o, ok := Owners.Get(tx, ownerKey)
	switch {
	case !ok:
		Owners.Put(tx, &joining.Owner{Authority: authority})
	case !bytes.Equal(o.Authority, authority):
		return ErrOwner
	}
	return nil
}

// Settle says where a server is, unless its program does not work together with that of another, or with its own of before, which may have left records
// that it does not understand (1 key).
func Settle(tx store.Tx, place joining.Place) error {
	for _, other := range Places.List(tx, all.Prefix(), "") {
		this, that := release.Said(place.Level, place.Version), release.Said(other.Level, other.Version)
		if release.Together(this, that) || other.Name == place.Name && this.Level > that.Level {
			continue
		}
		return fmt.Errorf("%w: %s", ErrRelease, release.Apart("server "+place.Name, this, "server "+other.Name, that))
	}
	if old, ok := Places.Get(tx, all.Key(place.Name)); !ok || *old != place {
		Places.Put(tx, &place)
	}
	return nil
}

// Named answers ErrName for a server whose name another machine's has.
func Named(tx store.Tx, place joining.Place) error {
	if old, ok := Places.Get(tx, all.Key(place.Name)); ok && old.Machine != place.Machine {
		return ErrName
	}
	return nil
}

// Offered answers what a ticket is good for, if it is; for who used it, it is for some minutes more.
func Offered(tx store.Tx, t joining.Ticket) (*joining.Offer, bool) {
	o, ok := Offers.Get(tx, all.Key(t.ID))
	if !ok || !hmac.Equal(o.Hash, t.Hash()) {
		return nil, false
	}
	if o.Machine != "" {
		return o, tx.Now().Before(o.Used.Add(joining.AgainWithin))
	}
	return o, tx.Now().Before(o.Expires)
}

// Who is a machine that has a ticket.
type Who struct {
	Name   string
	Key    []byte // SHA-256 of its public key
	Former string // the machine that it was until its certificate ended; "" for a new one
}

// Redeem uses up a ticket and lets a machine in, or answers the one that it let in for the same key (2 keys, and 4 tickets that were used up longer
// ago). The machine's id is answered with it.
func Redeem(tx store.Tx, t joining.Ticket, who Who) (*joining.Machine, error) {
	o, ok := Offered(tx, t)
	if !ok {
		return nil, ErrTicket
	}
	if o.Machine != "" {
		m, ok := Machines.Get(tx, all.Key(o.Machine))
		if !ok || !bytes.Equal(o.Key, who.Key) {
			return nil, ErrTicket
		}
		return m, nil
	}
	m := &joining.Machine{ID: tx.NewID(), Role: o.Role, Home: o.Home, Name: who.Name, Joined: tx.Now()}
	if who.Former != "" {
		old, ok := Machines.Get(tx, all.Key(who.Former))
		if !ok || old.Role != o.Role || old.Home != o.Home {
			return nil, ErrMachine
		}
		m = old
	}
	used := *o
	used.Machine, used.Key, used.Used = m.ID, who.Key, tx.Now()
	forgetUsed(tx)
	Offers.Put(tx, &used)
	if who.Former == "" {
		Machines.Put(tx, m)
	}
	return m, nil
}

// forgetUsed takes some tickets away that are good for nobody any more.
func forgetUsed(tx store.Tx) {
	var keys []string
	for key, o := range Offers.List(tx, all.Prefix(), "") {
		if over := !tx.Now().Before(o.Expires); over && o.Machine == "" || o.Machine != "" && !tx.Now().Before(o.Used.Add(joining.AgainWithin)) {
			keys = append(keys, key)
		}
		if len(keys) == 4 {
			break
		}
	}
	for _, key := range keys {
		Offers.Delete(tx, key)
	}
}

// Grant gives a machine keys for a while, and takes those away that have ended (at most 8 keys).
func Grant(tx store.Tx, p joining.Pass) (*joining.Pass, error) {
	m, ok := Machines.Get(tx, all.Key(p.Machine))
	if !ok || m.Role != joining.Node {
		return nil, ErrMachine
	}
	p.Home, p.Expires = m.Home, tx.Now().Add(joining.PassLife)
	for n, old := range slices.Collect(values(tx, m.ID)) {
		if n < 6 && !tx.Now().Before(old.Expires) {
			Passes.Delete(tx, all.Key(old.AccessKey))
		}
	}
	Passes.Put(tx, &p)
	return &p, nil
}

func values(tx store.Tx, machine string) func(func(*joining.Pass) bool) {
	return func(yield func(*joining.Pass) bool) {
		for _, p := range passesOf.List(tx, machine, "") {
			if !yield(p) {
				return
			}
		}
	}
}

// Remove ends a machine: no certificate of it is renewed, and its keys are good for nothing. It tells whether there was one. At most 20 keys.
func Remove(tx store.Tx, id string) bool {
	if id == "" { // a server that was alone has none
		return false
	}
	if _, ok := Machines.Get(tx, all.Key(id)); !ok {
		return false
	}
	Machines.Delete(tx, all.Key(id))
	for n, p := range slices.Collect(values(tx, id)) {
		if n < 18 { // the others find no machine
			Passes.Delete(tx, all.Key(p.AccessKey))
		}
	}
	return true
}

// Good answers the keys of that name if they are good now.
func Good(tx store.Tx, accessKey string, now time.Time) (*joining.Pass, bool) {
	p, ok := Passes.Peek(tx, all.Key(accessKey))
	if !ok || !now.Before(p.Expires) {
		return nil, false
	}
	_, ok = Machines.Peek(tx, all.Key(p.Machine))
	return p, ok
}

// Known tells whether a machine is part of the installation.
func Known(tx store.Tx, id string) (*joining.Machine, bool) {
	if id == "" { // a server that was alone has none
		return nil, false
	}
	return Machines.Peek(tx, all.Key(id))
}

// Forget takes away tickets, keys of nodes and places of servers, at most that many, and tells whether there may be more (a key each).
func Forget(tx store.Tx, most int) (more bool) {
	n := forget(tx, Offers, most) + forget(tx, Passes, most)
	return n+forget(tx, Places, most) > 0
}

func forget[T any](tx store.Tx, t *store.Table[T], most int) int {
	var keys []string
	for key := range t.List(tx, all.Prefix(), "") {
		if keys = append(keys, key); len(keys) == most/3 {
			break
		}
	}
	for _, key := range keys {
		t.Delete(tx, key)
	}
	return len(keys)
}
