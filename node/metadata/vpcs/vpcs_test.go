package vpcs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/berth-ecs/berth/nodeconf"
)

// node listens on the loopback for each VPC.
type node struct {
	addrs   map[string]string
	forgot  []string
	refuses map[string]error
}

func (n *node) listen(ctx context.Context, vpc string) (net.Listener, error) {
	if err := n.refuses[vpc]; err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err == nil {
		n.addrs[vpc] = l.Addr().String()
	}
	return l, err
}

func (n *node) forget(_ context.Context, vpc string) error {
	n.forgot = append(n.forgot, vpc)
	return nil
}

func answer(addr string) string {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+addr+"/", http.NoBody)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "refused"
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func vpcs(from, to int64, gone []string, ids ...string) nodeconf.Delta {
	d := nodeconf.Delta{From: from, To: to, Set: nodeconf.Resources{VPCs: map[string]nodeconf.VPC{}}}
	for _, id := range ids {
		d.Set.VPCs[id] = nodeconf.VPC{ID: id}
	}
	for _, id := range gone {
		d.Gone = append(d.Gone, nodeconf.Key{Kind: "VPCs", ID: id})
	}
	return d
}

func TestEndpointsComeAndGoWithTheirVPCs(t *testing.T) {
	n := &node{addrs: map[string]string{}, refuses: map[string]error{}}
	s := New(Config{
		Listen: n.listen, Forget: n.forget, Log: slog.New(slog.DiscardHandler),
		Handler: func(vpc string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, vpc) })
		},
	})
	defer s.Close()
	apply := func(d nodeconf.Delta) error { t.Helper(); return s.Apply(t.Context(), d) }
	if err := apply(vpcs(0, 1, nil, "a", "b")); err != nil {
		t.Fatal(err)
	}
	a, b := n.addrs["a"], n.addrs["b"]
	if answer(a) != "a" || answer(b) != "b" {
		t.Errorf("%s %s", answer(a), answer(b))
	}
	n.refuses["c"] = errors.New("there is no router yet")
	if err := apply(vpcs(1, 2, []string{"a"}, "c")); err == nil {
		t.Error("an endpoint that could not be made is no error")
	}
	if answer(a) != "refused" || answer(b) != "b" || len(n.forgot) != 1 || n.forgot[0] != "a" {
		t.Errorf("%s %s, forgot %q", answer(a), answer(b), n.forgot)
	}
	delete(n.refuses, "c")
	if err := apply(nodeconf.Delta{From: 2, To: 2}); err != nil || answer(n.addrs["c"]) != "c" {
		t.Errorf("%v, then %s", err, answer(n.addrs["c"]))
	}
	if err := apply(vpcs(0, 9, nil, "c")); err != nil || answer(b) != "refused" || answer(n.addrs["c"]) != "c" {
		t.Errorf("after a whole configuration: %v, %s %s", err, answer(b), answer(n.addrs["c"]))
	}
	s.Close()
	if len(n.forgot) != 2 {
		t.Errorf("forgot %q: what serves at the end is kept", n.forgot)
	}
}
