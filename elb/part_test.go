package elb

import "testing"

func TestPart(t *testing.T) {
	l := &LoadBalancer{Home: Home{Account: "000000000000", Region: "us-east-1"}, ID: "0123456789abcdef"}
	p := l.PartOf(Node{Zone: "us-east-1a", Interface: "eni-1"})
	if got := p.String(); got != "elb/000000000000/us-east-1/0123456789abcdef/us-east-1a/eni-1" {
		t.Error(got)
	}
	if back, ok := ParsePart(p.String()); !ok || back != p {
		t.Error(back, ok)
	}
	for _, s := range []string{"", "elb", "elb/a/b/c/d", "elb/a/b/c//e", "mesh/a/b/c/d/e", "elb/a/b/c/d/e/f"} {
		if _, ok := ParsePart(s); ok {
			t.Errorf("%q is a part", s)
		}
	}
}
