package elb

import "testing"

func TestSSLPolicies(t *testing.T) {
	for _, p := range SSLPolicies() {
		low, high, ciphers := p.Speaks()
		if low > high || (len(ciphers) == 0) != (low == "TLSv1.3") {
			t.Errorf("%s: %s to %s with %v", p.Name, low, high, ciphers)
		}
		seen := map[string]bool{}
		for _, c := range p.Ciphers {
			if seen[c] {
				t.Errorf("%s has %s twice", p.Name, c)
			}
			seen[c] = true
		}
		if got, ok := SSLPolicyOf(p.Name); !ok || got.Name != p.Name {
			t.Error(p.Name, "is not found")
		}
	}
	p, _ := SSLPolicyOf(DefaultSSLPolicy)
	if low, high, _ := p.Speaks(); low != "TLSv1.0" || high != "TLSv1.2" || p.Protocols[0] != "TLSv1.2" {
		t.Errorf("%s speaks %s to %s", p.Name, low, high)
	}
	if _, ok := SSLPolicyOf("ELBSecurityPolicy-None"); ok {
		t.Error("a policy that is none")
	}
}
