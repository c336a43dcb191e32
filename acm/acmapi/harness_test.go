package acmapi

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	"github.com/berth-ecs/berth/store/mem"
	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

var here = acm.Home{Account: "000000000000", Region: "us-east-1"}

// world is an API over a store in memory of which every second transaction loses its first race.
type world struct {
	*testing.T
	api   *API
	store store.Store
	said  strings.Builder // every answer and error
	users map[string][]string
}

// UsersOf implements Users.
func (w *world) UsersOf(_ store.Tx, arn string) []string { return w.users[arn] }

func begin(t *testing.T) *world {
	t.Helper()
	n := 0
	s := mem.Open(tables.Schema(), mem.Options{Faults: mem.Faults{Conflict: func(store.Txn) bool { n++; return n%2 == 1 }}})
	t.Cleanup(func() { _ = s.Close() })
	k, err := acm.NewKeyring(bytes.Repeat([]byte{7}, acm.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: s, users: map[string][]string{}}
	w.api = New(Config{Store: s, Keyring: k, Random: rand.Reader, Users: w})
	return w
}

// do calls an operation as the edge does.
func do[In, Out any](w *world, h wire.Handler[In, Out], in *In) (*Out, error) {
	w.Helper()
	out, err := h(w.Context(), wire.Call{Account: here.Account, Region: here.Region, Partition: "aws", Service: "acm"}, in)
	text, jerr := json.Marshal(out)
	if jerr != nil {
		w.Fatal(jerr)
	}
	fmt.Fprintf(&w.said, "%s %v\n", text, err)
	return out, err
}

func must[In, Out any](w *world, h wire.Handler[In, Out], in *In) *Out {
	w.Helper()
	out, err := do(w, h, in)
	if err != nil {
		w.Fatalf("%T: %v", in, err)
	}
	return out
}

// fails wants an error with a code and a part of its sentence.
func fails[In, Out any](w *world, h wire.Handler[In, Out], in *In, want string) {
	w.Helper()
	_, err := do(w, h, in)
	code, sentence, _ := strings.Cut(want, ": ")
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, sentence) {
		w.Errorf("%T: %v, want %s", in, err, want)
	}
}

func (w *world) importing(m acm.Material, tags ...string) *shape.ImportCertificateRequest {
	in := &shape.ImportCertificateRequest{Certificate: m.Body, CertificateChain: m.Chain, PrivateKey: m.Key}
	for i := 0; i < len(tags); i += 2 {
		in.Tags = append(in.Tags, shape.Tag{Key: &tags[i], Value: &tags[i+1]})
	}
	return in
}

func (w *world) imported(m acm.Material, tags ...string) string {
	w.Helper()
	return *must(w, w.api.ImportCertificate, w.importing(m, tags...)).CertificateArn
}

func (w *world) secrets(arn string) (chain, key []byte) {
	w.Helper()
	err := w.store.View(w.Context(), store.Fresh, func(tx store.Tx) (err error) {
		chain, key, err = tables.Secrets(tx, w.api.Keyring, arn)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return chain, key
}

// listed are the domains that ListCertificates answers.
func (w *world) listed(in *shape.ListCertificatesRequest) string {
	w.Helper()
	var all []string
	for _, c := range must(w, w.api.ListCertificates, in).CertificateSummaryList {
		all = append(all, *c.DomainName)
	}
	return strings.Join(all, " ")
}
