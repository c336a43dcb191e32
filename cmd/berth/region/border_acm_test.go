package region

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/berth-ecs/berth/acm"
	"github.com/berth-ecs/berth/acm/acmtest"
	"github.com/berth-ecs/berth/acm/tables"
	"github.com/berth-ecs/berth/cmd/berth/identities"
	"github.com/berth-ecs/berth/ecs"
	"github.com/berth-ecs/berth/elb"
	elbtables "github.com/berth-ecs/berth/elb/tables"
	"github.com/berth-ecs/berth/store"
)

func testKeyring(t *testing.T) *acm.Keyring {
	t.Helper()
	k, err := acm.NewKeyring(bytes.Repeat([]byte{7}, acm.SecretSize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// identity gives somebody a certificate with a word in its name and its tags.
func (w *world) identity(who ecs.Home, word string) (arn string) {
	w.Helper()
	m := acmtest.SelfSigned(w.T, acmtest.Of{Names: []string{word + ".example"}, Key: acmtest.NewKey(w.T, elliptic.P256())})
	in, err := json.Marshal(map[string]any{"Certificate": m.Body, "PrivateKey": m.Key, "Tags": []any{map[string]string{"Key": "word", "Value": word}}})
	if err != nil {
		w.Fatal(err)
	}
	w.serve("acm", "ImportCertificate", who, string(in))
	w.update(func(tx store.Tx) {
		for _, c := range tables.Certificates.List(tx, tables.All(acm.Home(who)), "") {
			arn = c.ARN()
		}
	})
	return arn
}

// acmSpecial are members that an operation needs beside what it is about.
var acmSpecial = map[string]aim{
	"AddTagsToCertificate":      {"tag": []any{map[string]any{"Key": "word", "Value": "stolen"}}},
	"RemoveTagsFromCertificate": {"tag": []any{map[string]any{"Key": "word"}}},
	"ImportCertificate":         aimed(),
}

// aimed is material for an import: another certificate than the owner's.
func aimed() aim {
	t := &testing.T{}
	m := acmtest.SelfSigned(t, acmtest.Of{Names: []string{"new.example"}, Key: acmtest.NewKey(t, elliptic.P256())})
	return aim{"certificate": base64.StdEncoding.EncodeToString(m.Body), "privatekey": base64.StdEncoding.EncodeToString(m.Key)}
}

// Who uses a certificate is read from the listeners: by its default, and among those that it chooses by name.
func TestLoadBalancersUseCertificates(t *testing.T) {
	w := newWorld(t)
	arn := w.identity(owner, "a")
	h := elb.Home{Account: owner.Account, Region: owner.Region}
	var got []string
	w.update(func(tx store.Tx) {
		for _, id := range []string{"1111111111111111", "2222222222222222", "3333333333333333"} {
			elbtables.LoadBalancers.Put(tx, &elb.LoadBalancer{Home: h, ID: id, Name: "lb" + id[:1], Type: elb.TypeApplication, VPC: "vpc-1", DNSName: id, CreatedAt: time.Now()})
		}
		elbtables.Listeners.Put(tx, &elb.Listener{Home: h, LoadBalancer: "1111111111111111", ID: "aaaaaaaaaaaaaaaa", Port: 443, Certificate: arn})
		elbtables.Listeners.Put(tx, &elb.Listener{Home: h, LoadBalancer: "1111111111111111", ID: "bbbbbbbbbbbbbbbb", Port: 444, Certificate: arn})
		elbtables.Certificates.Put(tx, &elb.Certificate{Home: h, LoadBalancer: "2222222222222222", Listener: "cccccccccccccccc", ARN: arn})
	})
	w.update(func(tx store.Tx) { got = identities.Listeners{}.UsersOf(tx, arn) })
	if len(got) != 2 || got[0] != "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/lb1/1111111111111111" || got[1] != "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/lb2/2222222222222222" {
		t.Errorf("used by %v", got)
	}
	if a := w.call(serviceOf(w.mux, "acm"), "DeleteCertificate", owner, map[string]any{"CertificateArn": arn}); a.status != 400 || !bytes.Contains([]byte(a.body), []byte("ResourceInUseException")) {
		t.Errorf("deleting it: %+v", a)
	}
}
