package identities

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
	acmtables "github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
	"github.com/berth-ecs/berth/wire/sigv4"
	"github.com/berth-ecs/berth/wire/wiretest"
)

// Neither what the edge logs nor what it answers has any of a private key, whether it was taken or not; proxies get it.
func TestTheEdgeSaysNothingOfKeys(t *testing.T) {
	secret := make([]byte, acm.SecretSize)
	_, _ = rand.Read(secret)
	k, err := acm.NewKeyring(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := mem.Open(acmtables.Schema(), mem.Options{})
	t.Cleanup(func() { _ = s.Close() })
	mux := wire.NewMux()
	api := New(s, k)
	api.Users = nil // there are no load balancers here
	api.Bind(mux)
	root := sigv4.Credentials{AccessKey: "AKIA000000000000", Secret: "the root"}
	var said bytes.Buffer
	edge, err := wire.NewEdge(wire.Config{Mux: mux, Authorizer: wire.RootOnly{}, Regions: []string{"us-east-1"},
		Keys: sigv4.Table{root.AccessKey: {Secret: root.Secret, Account: "000000000000", Principal: "arn:aws:iam::000000000000:root"}},
		Log:  slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	good, other := acmtest.SelfSigned(t, acmtest.Of{Names: []string{"a.example"}}), acmtest.SelfSigned(t, acmtest.Of{Names: []string{"b.example"}})
	for want, in := range map[int]map[string]any{
		200: {"Certificate": good.Body, "PrivateKey": good.Key},
		400: {"Certificate": other.Body, "PrivateKey": good.Key},
	} {
		r, err := wiretest.Request(t.Context(), &shape.Model, shape.OpImportCertificate.Info, wiretest.Sent{Input: in, Keys: root, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		edge.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Fatalf("%d %s, want %d", rec.Code, rec.Body, want)
		}
		said.Write(rec.Body.Bytes())
	}
	if said.Len() == 0 || bytes.Contains(said.Bytes(), good.Key[40:100]) || bytes.Contains(said.Bytes(), []byte("PRIVATE")) {
		t.Errorf("it says %s", said.String())
	}
	found := 0
	err = s.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for _, c := range acmtables.Certificates.List(tx, "", "") {
			chain, key, err := Proxies{Keyring: k}.Secret(tx, c.ARN())
			if err != nil || !bytes.Equal(key, good.Key) || !bytes.Equal(chain, good.Body) {
				t.Errorf("proxies get %v", err)
			}
			found++
		}
		return nil
	})
	if err != nil || found != 1 {
		t.Errorf("%d certificates, %v", found, err)
	}
}
