package elb

import "slices"

// SSLPolicy says which versions and ciphers of TLS a listener speaks.
type SSLPolicy struct {
	Name      string
	Protocols []string // TLSv1.3 to TLSv1, as AWS lists them
	Ciphers   []string // OpenSSL's names, in AWS's order
}

// DefaultSSLPolicy is that of a listener of which the API was not told one.
const DefaultSSLPolicy = "ELBSecurityPolicy-2016-08"

// Ciphers by kind: what a policy has is some of these, whole.
var (
	tls13    = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	ecdheGCM = []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}
	ecdheCBC = []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"}
	ecdheSHA = []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"}
	largeGCM = []string{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
	largeCBC = []string{"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	largeSHA = []string{"ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"}
	rsa      = []string{"AES128-GCM-SHA256", "AES128-SHA256"}
	rsaSHA   = []string{"AES128-SHA"}
	largeRSA = []string{"AES256-GCM-SHA384", "AES256-SHA256"}
	largeOld = []string{"AES256-SHA"}
	triple   = []string{"DES-CBC3-SHA"}

	restricted = slices.Concat(ecdheGCM, largeGCM)
	strict     = slices.Concat(ecdheGCM, ecdheCBC, largeGCM, largeCBC)
	forward    = slices.Concat(ecdheGCM, ecdheCBC, ecdheSHA, largeGCM, largeCBC, largeSHA)
	withoutSHA = slices.Concat(strict, rsa, largeRSA)
	everything = slices.Concat(forward, rsa, rsaSHA, largeRSA, largeOld)
)

// versions are those of TLS, newest first.
var versions = []string{"TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"}

// the places of versions.
const (
	v13 = iota
	v12
	v11
	v10
)

func policyOf(name string, newest, oldest int, ciphers []string) SSLPolicy {
	p := SSLPolicy{Name: "ELBSecurityPolicy-" + name, Protocols: versions[newest : oldest+1]}
	if newest == v13 {
		p.Ciphers = append(p.Ciphers, tls13...)
	}
	p.Ciphers = append(p.Ciphers, ciphers...)
	return p
}

var policies = []SSLPolicy{
	policyOf("2016-08", v12, v10, everything),
	policyOf("TLS13-1-3-2021-06", v13, v13, nil),
	policyOf("TLS13-1-2-Res-2021-06", v13, v12, restricted),
	policyOf("TLS13-1-2-2021-06", v13, v12, strict),
	policyOf("TLS13-1-2-Ext1-2021-06", v13, v12, withoutSHA),
	policyOf("TLS13-1-2-Ext2-2021-06", v13, v12, everything),
	policyOf("TLS13-1-1-2021-06", v13, v11, everything),
	policyOf("TLS13-1-0-2021-06", v13, v10, everything),
	policyOf("FS-1-2-Res-2020-10", v12, v12, restricted),
	policyOf("FS-1-2-Res-2019-08", v12, v12, strict),
	policyOf("FS-1-2-2019-08", v12, v12, forward),
	policyOf("FS-1-1-2019-08", v12, v11, forward),
	policyOf("FS-2018-06", v12, v10, forward),
	policyOf("TLS-1-2-Ext-2018-06", v12, v12, everything),
	policyOf("TLS-1-2-2017-01", v12, v12, withoutSHA),
	policyOf("TLS-1-1-2017-01", v12, v11, everything),
	policyOf("TLS-1-0-2015-04", v12, v10, slices.Concat(everything, triple)),
	policyOf("2015-05", v12, v10, everything),
}

// SSLPolicies are all that there are.
func SSLPolicies() []SSLPolicy { return slices.Clone(policies) }

// SSLPolicyOf answers the policy of a name.
func SSLPolicyOf(name string) (SSLPolicy, bool) {
	i := slices.IndexFunc(policies, func(p SSLPolicy) bool { return p.Name == name })
	if i < 0 {
		return SSLPolicy{}, false
	}
	return policies[i], true
}

// unspoken are ciphers that proxies do not speak: Envoy's TLS has none with SHA-2 as its MAC but two. A client that speaks one of a policy speaks
// others of it.
var unspoken = slices.Concat(largeCBC, []string{"AES128-SHA256", "AES256-SHA256"})

// Speaks is what proxies do of the policy: from version min to max (as TLSv1.0 to TLSv1.3), and the ciphers of TLS 1.2 and below. Those of TLS 1.3 are
// all of it in every policy that has it.
func (p SSLPolicy) Speaks() (lowest, highest string, ciphers []string) {
	whole := func(v string) string {
		if v == "TLSv1" {
			return "TLSv1.0"
		}
		return v
	}
	for _, c := range p.Ciphers {
		if !slices.Contains(tls13, c) && !slices.Contains(unspoken, c) {
			ciphers = append(ciphers, c)
		}
	}
	return whole(p.Protocols[len(p.Protocols)-1]), whole(p.Protocols[0]), ciphers
}
