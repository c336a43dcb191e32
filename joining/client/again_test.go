package client_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/internal/release"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/client"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
)

// A machine that died before it kept what it became asks again with the key that it made, and is the same; nobody else can use its ticket, and it not for long.
func TestATicketIsGoodAgainForWhoDidNotHear(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute), Program: release.This("test")}
	var first client.Membership
	died := errors.New("it died")
	if _, err := client.Join(t.Context(), c, func(m client.Membership) error { first = m; return died }); !errors.Is(err, died) {
		t.Fatal(err)
	}
	other := c
	other.DataDir = t.TempDir()
	if _, err := client.Join(t.Context(), other, nil); err == nil {
		t.Error("another machine used the same ticket")
	}
	i.now = i.now.Add(5 * time.Minute) // the ticket's own time is over
	again, err := client.Join(t.Context(), c, nil)
	if err != nil || again.Machine != first.Machine {
		t.Errorf("%+v became %+v (%v)", first, again, err)
	}
	if _, err := os.Lstat(filepath.Join(c.DataDir, "joining-key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key that it asked with stays: %v", err)
	}

	late := c
	late.DataDir, late.Ticket = t.TempDir(), i.ticket(joining.Node, time.Minute)
	_, _ = client.Join(t.Context(), late, func(client.Membership) error { return died })
	i.now = i.now.Add(joining.AgainWithin + time.Second)
	if _, err := client.Join(t.Context(), late, nil); err == nil {
		t.Error("a ticket that was used long ago is good")
	}
}

// A machine that was removed is not told where the servers are.
func TestARemovedMachineIsToldNothing(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute)}
	m, err := client.Join(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := client.NewFleet(c.DataDir, c.Servers, release.This("test"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	places := func() int {
		resp, err := f.HTTP().Get(client.Endpoint + joining.PlacesPath)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := places(); got != 200 {
		t.Errorf("a machine is answered %d", got)
	}
	if err := i.store.Update(t.Context(), func(tx store.Tx) error { tables.Remove(tx, m.Machine); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := places(); got != 403 {
		t.Errorf("a removed one is answered %d", got)
	}
}

// A node that was off until its certificate ended stays who it is, by a new ticket and with its key.
func TestANodeThatWasOffForLongJoinsAgain(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute)}
	m, err := client.Join(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	end(t, i, c.DataDir, m.Machine)
	i.now = i.now.Add(joining.AgainWithin + time.Second)
	if got, err := client.Join(t.Context(), c, nil); err == nil {
		t.Errorf("its old ticket makes it %+v", got)
	}
	c.Ticket = i.ticket(joining.Node, time.Minute)
	again, err := client.Join(t.Context(), c, nil)
	if err != nil || again.Machine != m.Machine {
		t.Fatalf("%+v became %+v (%v)", m, again, err)
	}
	pair, err := client.Pair(c.DataDir).Load()
	if err != nil || !time.Now().Before(pair.Leaf.NotAfter) {
		t.Errorf("its certificate: %v %v", pair, err)
	}

	stranger := client.Config{DataDir: t.TempDir(), Servers: c.Servers, Name: "n2", Ticket: i.ticket(joining.Node, time.Minute)}
	if _, err := client.Join(t.Context(), stranger, nil); err != nil {
		t.Fatal(err)
	}
	// One that was removed meanwhile is not.
	other, err := authority.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	ended, err := i.authority.Certify(authority.Machine{Role: authority.NodeRole, ID: m.Machine}, &other.PublicKey, time.Now().Add(-1000*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Pair(stranger.DataDir).Write(ended, other, i.authority.Certificate()); err != nil {
		t.Fatal(err)
	}
	if err := i.store.Update(t.Context(), func(tx store.Tx) error { tables.Remove(tx, m.Machine); return nil }); err != nil {
		t.Fatal(err)
	}
	stranger.Ticket = i.ticket(joining.Node, time.Minute)
	if got, err := client.Join(t.Context(), stranger, nil); err == nil || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("a machine that was removed is let in again as %+v (%v)", got, err)
	}
}

// end replaces a machine's certificate with one that has ended.
func end(t *testing.T, i *installation, dataDir, machine string) {
	t.Helper()
	pair, err := client.Pair(dataDir).Load()
	if err != nil {
		t.Fatal(err)
	}
	key := pair.PrivateKey.(*ecdsa.PrivateKey)
	der, err := i.authority.Certify(authority.Machine{Role: authority.NodeRole, ID: machine}, &key.PublicKey, time.Now().Add(-1000*time.Hour))
	if err == nil {
		err = client.Pair(dataDir).Write(der, key, i.authority.Certificate())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A region that was made anew of a backup knows no keys of before: a node that is refused gets others at once, not after half their life.
func TestANodeWhoseKeysAreForgottenGetsOthers(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	c := client.Config{DataDir: t.TempDir(), Servers: []string{server.URL}, Name: "n1", Ticket: i.ticket(joining.Node, time.Minute)}
	if _, err := client.Join(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	f, err := client.NewFleet(c.DataDir, c.Servers, release.This("test"), quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-f.Ready()
	first := f.Credentials().AccessKey
	if resp, err := f.HTTP().Get(client.Endpoint + "/session"); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("%v %v", resp, err)
	}
	for f.Credentials().AccessKey == first {
		select {
		case <-t.Context().Done():
			t.Fatal("it keeps the keys of before")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
