package acmapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"sync"
	"testing"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/store"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// Nothing of a private key is in what is stored, in an answer or in an error: whatever was done with it.
func TestAKeyIsNowhereToBeRead(t *testing.T) {
	w := begin(t)
	of := acmtest.Of{Names: []string{"a.example"}, Key: acmtest.NewRSA(t, 2048)}
	m := acmtest.SelfSigned(t, of)
	arn := w.imported(m)
	other := acmtest.SelfSigned(t, acmtest.Of{Names: []string{"b"}})
	for _, bad := range []acm.Material{{Body: other.Body, Key: m.Key}, {Body: m.Key, Key: m.Key}, {Body: m.Body, Key: m.Key[:200]}, {Body: m.Body, Chain: m.Key, Key: m.Key}} {
		fails(w, w.api.ImportCertificate, w.importing(bad), "ValidationException: ")
	}
	must(w, w.api.DescribeCertificate, &shape.DescribeCertificateRequest{CertificateArn: &arn})
	must(w, w.api.GetCertificate, &shape.GetCertificateRequest{CertificateArn: &arn})
	must(w, w.api.ListCertificates, &shape.ListCertificatesRequest{})

	said := []byte(w.said.String())
	err := w.store.View(t.Context(), store.Fresh, func(tx store.Tx) error {
		for _, rec := range tables.Certificates.List(tx, "", "") {
			said = append(said, stored(t, rec)...)
		}
		for _, rec := range tables.Keys.List(tx, "", "") {
			said = append(append(said, stored(t, rec)...), rec.Sealed...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range pieces(m.Key) {
		if bytes.Contains(said, piece) {
			t.Errorf("a piece of the key is in what was stored or said: %q", piece[:10])
		}
	}
}

func stored(t *testing.T, rec any) []byte {
	t.Helper()
	text, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// pieces are the lines of a key in PEM, as they are and as JSON writes blobs.
func pieces(key []byte) [][]byte {
	var out [][]byte
	for line := range bytes.SplitSeq(key, []byte("\n")) {
		if len(line) < 32 || bytes.HasPrefix(line, []byte("-")) || bytes.HasPrefix(line, []byte("MII")) {
			continue // the first line of every key of RSA is the same
		}
		raw, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil {
			panic(err)
		}
		out = append(out, line, raw, []byte(base64.StdEncoding.EncodeToString(line))[4:36])
	}
	return out
}

// What begins to use a certificate while it is deleted finds it gone, or the deletion finds it in use.
func TestDeletionMeetsAUse(t *testing.T) {
	for range 50 {
		w := begin(t)
		arn := w.imported(acmtest.SelfSigned(t, acmtest.Of{Names: []string{"a"}}))
		var mu sync.Mutex
		used := false
		w.users = nil
		w.api.Users = users(func(tx store.Tx) []string {
			if _, ok := tables.Tags.Peek(tx, tables.Key(here, "listener")); ok {
				return []string{"arn:lb"}
			}
			return nil
		})
		var run sync.WaitGroup
		run.Go(func() {
			err := w.store.Update(t.Context(), func(tx store.Tx) error {
				_, ok := tables.Use(tx, arn)
				mu.Lock()
				used = ok
				mu.Unlock()
				if ok { // stands for a listener's record
					tables.Tags.Put(tx, &acm.Tags{Home: here, ID: "listener"})
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		_, err := do(w, w.api.DeleteCertificate, &shape.DeleteCertificateRequest{CertificateArn: &arn})
		run.Wait()
		if used == (err == nil) {
			t.Fatalf("used: %v, deleted: %v", used, err)
		}
	}
}

type users func(tx store.Tx) []string

// UsersOf implements Users.
func (u users) UsersOf(tx store.Tx, _ string) []string { return u(tx) }
