package network

import "testing"

func TestMetadataListener(t *testing.T) {
	t.Parallel()
	n := open(t)
	l, err := n.MetadataListener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go answerConnections(l, "metadata")
	e := attach(t, n, "greedy")
	serve(t, e.Netns, "tcp", "0.0.0.0:80", "greedy")
	if saw := wantAnswer(t, e.Netns, "tcp", "169.254.170.2:80", "metadata"); saw != e.Address.String() {
		t.Errorf("the listener saw %s, want the container's %s", saw, e.Address)
	}
	_ = l.Close()
	if l, err = n.MetadataListener(t.Context()); err != nil {
		t.Fatalf("listen again: %v", err)
	}
	_ = l.Close()
}
