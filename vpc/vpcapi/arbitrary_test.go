package vpcapi

import (
	"net/http/httptest"
	"testing"

	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ec2"
	"github.com/berth-ecs/berth/wire/sigv4"
	"github.com/berth-ecs/berth/wire/wiretest"
)

// strange are texts that mean something, nearly do, or must never become a key. What is there is among the words of a run, too.
var strange = []string{
	"", "/", "a/b", "vpc-01234567", "subnet-", "eni-0123456789abcdef0", "sg-01234567", "default", "-1", "tcp", "0", "65536", "10.0.0.0/16", "10.0.5.0/24", "0.0.0.0/0", "::/0", "10.0.1.4",
	"10.0.0.0/99", "fd00::1", "allow", "vpc-id", "tag:", "tag:a", "*", "\\", "us-east-1a", "vpc", "natgateway", "true", "\x00", "日本", "aws:x", "domain-name", "example.test",
}

// drawn is an input of a shape: members are mostly absent, those that are required mostly there.
func drawn(t *rapid.T, words []string, id aws.ID, depth int) any {
	sh := shape.Model.Shape(id)
	switch sh.Kind { //nolint:exhaustive // the rest is numbers and times
	case aws.Structure:
		out := map[string]any{}
		for _, m := range sh.Members {
			often := 3
			if m.Required {
				often = 9
			}
			if depth < 5 && m.Name != "DryRun" && rapid.IntRange(0, 9).Draw(t, m.Name) < often {
				out[m.Name] = drawn(t, words, m.Shape, depth+1)
			}
		}
		return out
	case aws.List:
		var out []any
		for range rapid.IntRange(1, 2).Draw(t, "length") {
			out = append(out, drawn(t, words, sh.Elem.Shape, depth+1))
		}
		return out
	case aws.Boolean:
		return rapid.Bool().Draw(t, "flag")
	case aws.String:
		if len(sh.Enum) > 0 && rapid.Bool().Draw(t, "known") {
			return rapid.SampledFrom(sh.Enum).Draw(t, "value")
		}
		return rapid.SampledFrom(words).Draw(t, "word")
	}
	return rapid.SampledFrom([]int{-1, 0, 1, 5, 100, 65536}).Draw(t, "number")
}

// Whatever is asked, whichever operation, the answer is one of EC2's: nothing fails inside, and nothing panics.
func TestArbitraryRequests(t *testing.T) {
	w := newWorld(t)
	v, g, s := w.network()
	words := append([]string{v, g, s, w.eni(s).ID, w.table(v), w.allocate(), w.standard().ID, w.standard().MainACL, w.standard().MainTable, w.standard().DefaultGroup}, strange...)
	m := wire.NewMux()
	w.Bind(m)
	keys := sigv4.Credentials{AccessKey: "AKIATESTTESTTESTTEST", Secret: "secret"}
	edge, err := wire.NewEdge(wire.Config{Mux: m, Authorizer: wire.RootOnly{}, Regions: []string{caller.Region},
		Keys: sigv4.Table{keys.AccessKey: {Secret: keys.Secret, Account: caller.Account, Principal: "arn:aws:iam::" + caller.Account + ":root"}}})
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, row := range m.Coverage() {
		if row.Served {
			served = append(served, row.Operation)
		}
	}
	granted := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			info, _ := shape.Model.Operation(rapid.SampledFrom(served).Draw(t, "operation"))
			in := drawn(t, words, info.Input, 0)
			r, err := wiretest.Request(w.t.Context(), &shape.Model, info, wiretest.Sent{Input: in, Keys: keys, Region: caller.Region})
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			edge.ServeHTTP(rec, r)
			if rec.Code == 200 {
				granted[info.Name] = true
			}
			if rec.Code >= 500 && rec.Code != 503 {
				t.Fatalf("%s with %v: %d %s", info.Name, in, rec.Code, rec.Body)
			}
		}
	})
	if len(granted) < 20 {
		t.Errorf("only %d operations were ever granted: the requests are too strange to show anything", len(granted))
	}
}
