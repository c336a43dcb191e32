package region

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"
	"time"

	"github.com/berth-ecs/berth/internal/authority"
	"github.com/berth-ecs/berth/joining"
	"github.com/berth-ecs/berth/joining/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func certify(t *testing.T, a *authority.Authority, id string) tls.Certificate {
	t.Helper()
	key, err := authority.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := a.Certify(authority.Machine{Role: authority.NodeRole, ID: id}, &key.PublicKey, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Keys that were taken from a node open no session anywhere else.
func TestSessionsNeedTheNodesCertificate(t *testing.T) {
	a, err := authority.Ensure(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	state := func(id string) *tls.ConnectionState {
		c := certify(t, a, id)
		leaf, err := authority.ParsePEM(pemOf(c.Certificate[0]))
		if err != nil {
			t.Fatal(err)
		}
		chains, err := leaf.Verify(verifyOptions(a))
		if err != nil {
			t.Fatal(err)
		}
		return &tls.ConnectionState{PeerCertificates: chains[0][:1], VerifiedChains: chains}
	}
	verify := ownConnection(func(r *http.Request) (sigv4.Identity, error) {
		return sigv4.Identity{Key: sigv4.Key{Machine: r.Header.Get("Machine")}}, nil
	})
	for _, c := range []struct {
		name, keys string
		tls        *tls.ConnectionState
		ok         bool
	}{
		{"its own", "m1", state("m1"), true}, {"another's", "m1", state("m2"), false}, {"TLS without a certificate", "m1", &tls.ConnectionState{}, false},
		{"no TLS", "m1", nil, false}, {"root", "", nil, true},
	} {
		_, err := verify(&http.Request{Header: http.Header{"Machine": {c.keys}}, TLS: c.tls})
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What a node asks for is allowed as long as it is part of the installation: a password of the registry lives longer than the keys.
func TestRemovedNodesAreAllowedNothing(t *testing.T) {
	s := mem.Open(tables.Schema(), mem.Options{})
	defer s.Close()
	update := func(fn func(tx store.Tx)) {
		if err := s.Update(t.Context(), func(tx store.Tx) error { fn(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	home := joining.Home{Account: "000000000000", Region: "us-east-1"}
	update(func(tx store.Tx) { tables.Machines.Put(tx, &joining.Machine{ID: "m1", Role: joining.Node, Home: home}) })
	call := wire.Call{Account: home.Account, Region: home.Region, Principal: joining.Principal(home, "m1")}
	a := agentsToo{wire.RootOnly{}, s}
	if err := a.Allow(t.Context(), call, "ecr:BatchGetImage", "*"); err != nil {
		t.Error(err)
	}
	if err := a.Allow(t.Context(), call, "ecs:RunTask", "*"); err == nil {
		t.Error("a node runs tasks")
	}
	abroad := call
	abroad.Region = "eu-west-1"
	if err := a.Allow(t.Context(), abroad, "ecs:RegisterContainerInstance", "*"); err == nil {
		t.Error("a node is one of another region, too")
	}
	if err := a.Allow(t.Context(), abroad, "ecr:BatchGetImage", "*"); err != nil {
		t.Error(err)
	}
	update(func(tx store.Tx) { tables.Remove(tx, "m1") })
	if err := a.Allow(t.Context(), call, "ecr:BatchGetImage", "*"); err == nil {
		t.Error("a removed node reads images")
	}
}

func pemOf(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }

func verifyOptions(a *authority.Authority) x509.VerifyOptions {
	return x509.VerifyOptions{Roots: a.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
}
