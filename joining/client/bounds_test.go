package client_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/joining"
)

// What a stranger sends costs little: a bad ticket is refused before anything else is looked at, keys are of one kind, and a body ends.
func TestStrangersAreBounded(t *testing.T) {
	i := newInstallation(t)
	server := i.serve(nil)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: i.authority.Pool(), ServerName: authority.ServerName}}}
	join := func(ticket string, csr []byte) (int, string) {
		t.Helper()
		body, err := json.Marshal(joining.JoinRequest{Ticket: ticket, Name: "n", Request: csr})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		resp, err := c.Post(server.URL+joining.JoinPath, "", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, _ = w.Body.ReadFrom(resp.Body)
		return resp.StatusCode, w.Body.String()
	}
	good := i.ticket(joining.Server, time.Minute)
	ticket, err := joining.ParseTicket(good)
	if err != nil {
		t.Fatal(err)
	}
	ticket.Secret[0] ^= 1
	if code, text := join(ticket.String(), []byte("no request")); code != http.StatusForbidden || !strings.Contains(text, "ticket is not known") {
		t.Errorf("a bad ticket: %d %s", code, text)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	if code, text := join(good, csr); code != http.StatusBadRequest || !strings.Contains(text, "not an ECDSA key") {
		t.Errorf("an RSA key: %d %s", code, text)
	}
	long := strings.NewReader(strings.Repeat(" ", 1<<20))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+joining.FleetPath+"/x", long)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err == nil {
		defer resp.Body.Close()
	}
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a long body: %v %v", resp, err)
	}
}
