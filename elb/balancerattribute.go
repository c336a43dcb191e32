package elb

import (
	"cmp"
	"slices"
	"strconv"
)

// Attributes of load balancers. AttrCrossZone is one, too.
const (
	AttrProtected     = "deletion_protection.enabled"
	AttrAccessLogs    = "access_logs.s3.enabled"
	AttrAccessBucket  = "access_logs.s3.bucket"
	AttrAccessPrefix  = "access_logs.s3.prefix"
	AttrIdleTimeout   = "idle_timeout.timeout_seconds"
	AttrKeepAlive     = "client_keep_alive.seconds"
	AttrDesync        = "routing.http.desync_mitigation_mode"
	AttrDropInvalid   = "routing.http.drop_invalid_header_fields.enabled"
	AttrPreserveHost  = "routing.http.preserve_host_header.enabled"
	AttrTLSHeaders    = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
	AttrClientPort    = "routing.http.xff_client_port.enabled"
	AttrForwardedFor  = "routing.http.xff_header_processing.mode"
	AttrHTTP2         = "routing.http2.enabled"
	AttrWAFFailOpen   = "waf.fail_open.enabled"
	AttrClientRouting = "dns_record.client_routing_policy"
	AttrDenyIPv6      = "ipv6.deny_all_igw_traffic"
)

// Attributes of listeners.
const (
	AttrTCPIdleTimeout = "tcp.idle_timeout.seconds"
	AttrTLSVersionName = "routing.http.request.x_amzn_tls_version.header_name"
	AttrTLSCipherName  = "routing.http.request.x_amzn_tls_cipher_suite.header_name"
	AttrServerHeader   = "routing.http.response.server.enabled"
)

// AnswerHeaders are the attributes of listeners that set a header field of answers, with its name.
func AnswerHeaders() []Pair { return slices.Clone(answerHeaders) }

var answerHeaders = []Pair{
	{"routing.http.response.access_control_allow_credentials.header_value", "Access-Control-Allow-Credentials"},
	{"routing.http.response.access_control_allow_headers.header_value", "Access-Control-Allow-Headers"},
	{"routing.http.response.access_control_allow_methods.header_value", "Access-Control-Allow-Methods"},
	{"routing.http.response.access_control_allow_origin.header_value", "Access-Control-Allow-Origin"},
	{"routing.http.response.access_control_expose_headers.header_value", "Access-Control-Expose-Headers"},
	{"routing.http.response.access_control_max_age.header_value", "Access-Control-Max-Age"},
	{"routing.http.response.content_security_policy.header_value", "Content-Security-Policy"},
	{"routing.http.response.strict_transport_security.header_value", "Strict-Transport-Security"},
	{"routing.http.response.x_content_type_options.header_value", "X-Content-Type-Options"},
	{"routing.http.response.x_frame_options.header_value", "X-Frame-Options"},
}

// attribute is what may be set of a load balancer or listener.
type attribute struct {
	key    string
	preset string
	form   form
	where  string // a type of load balancers, or both when empty; of listeners, a protocol or those of the type
}

// form is which values there are.
type form struct {
	words       []string
	least, most int  // of a number, when most is not 0
	text        bool // anything of at most a kilobyte, or nothing
}

// maxText is AWS's limit of the value of a header field.
const maxText = 1024

func (f form) allows(v string) bool {
	switch {
	case slices.Contains(f.words, v):
		return true
	case f.text:
		return len(v) <= maxText && !slices.ContainsFunc([]byte(v), func(c byte) bool { return c < ' ' || c == 0x7f })
	case f.most > 0:
		n, err := strconv.Atoi(v)
		return err == nil && f.least <= n && n <= f.most && strconv.Itoa(n) == v
	}
	return false
}

var (
	formBool = form{words: []string{"true", "false"}}
	formText = form{text: true}
)

var balancerAttributes = []attribute{
	{AttrProtected, "false", formBool, ""},
	{AttrAccessLogs, "false", formBool, ""},
	{AttrAccessBucket, "", formText, ""},
	{AttrAccessPrefix, "", formText, ""},
	{AttrDenyIPv6, "false", formBool, ""},
	{"zonal_shift.config.enabled", "false", formBool, ""},
	{AttrCrossZone, "true", form{words: []string{"true"}}, TypeApplication},
	{AttrIdleTimeout, "60", form{least: 1, most: 4000}, TypeApplication},
	{AttrKeepAlive, "3600", form{least: 60, most: 604800}, TypeApplication},
	{"connection_logs.s3.enabled", "false", formBool, TypeApplication},
	{"connection_logs.s3.bucket", "", formText, TypeApplication},
	{"connection_logs.s3.prefix", "", formText, TypeApplication},
	{"health_check_logs.s3.enabled", "false", formBool, TypeApplication},
	{"health_check_logs.s3.bucket", "", formText, TypeApplication},
	{"health_check_logs.s3.prefix", "", formText, TypeApplication},
	{AttrDesync, "defensive", form{words: []string{"monitor", "defensive", "strictest"}}, TypeApplication},
	{AttrDropInvalid, "false", formBool, TypeApplication},
	{AttrPreserveHost, "false", formBool, TypeApplication},
	{AttrTLSHeaders, "false", formBool, TypeApplication},
	{AttrClientPort, "false", formBool, TypeApplication},
	{AttrForwardedFor, "append", form{words: []string{"append", "preserve", "remove"}}, TypeApplication},
	{AttrHTTP2, "true", formBool, TypeApplication},
	{AttrWAFFailOpen, "false", formBool, TypeApplication},
	{AttrCrossZone, "false", formBool, TypeNetwork},
	{AttrClientRouting, "any_availability_zone", form{words: []string{"any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity"}}, TypeNetwork},
	{keySecondary, "0", form{words: []string{"0"}, most: 7}, TypeNetwork},
}

// listenerAttributes: those of application load balancers' have HTTP (which is for HTTPS, too) or HTTPS as where.
var listenerAttributes = func() []attribute {
	all := []attribute{
		{AttrTCPIdleTimeout, "350", form{least: 60, most: 6000}, "TCP"},
		{AttrServerHeader, "true", formBool, "HTTP"},
		{AttrTLSVersionName, "", formText, "HTTPS"},
		{AttrTLSCipherName, "", formText, "HTTPS"},
	}
	for _, what := range []string{"clientcert", "clientcert_serial_number", "clientcert_issuer", "clientcert_subject", "clientcert_validity", "clientcert_leaf"} {
		all = append(all, attribute{keyMutual + what + keyMutualEnd, "", formText, "HTTPS"})
	}
	for _, h := range answerHeaders {
		all = append(all, attribute{h.Key, "", formText, "HTTP"})
	}
	return all
}()

// of are the attributes of a table that hold at one of some places.
func of(all []attribute, places ...string) []attribute {
	var out []attribute
	for _, a := range all {
		if a.where == "" || slices.Contains(places, a.where) {
			out = append(out, a)
		}
	}
	return out
}

func (l *LoadBalancer) attributes() []attribute {
	all := of(balancerAttributes, l.Type)
	for i := range all {
		if all[i].key == AttrDenyIPv6 && l.Scheme == "internal" {
			all[i].preset = "true"
		}
	}
	return all
}

func (l *Listener) attributes() []attribute {
	if l.Protocol == "HTTPS" {
		return of(listenerAttributes, "HTTP", "HTTPS")
	}
	return of(listenerAttributes, l.Protocol)
}

// Attribute is the value of an attribute of the load balancer: what was set, or its default.
func (l *LoadBalancer) Attribute(set map[string]string, key string) string {
	return valueOf(l.attributes(), set, key)
}

// Attributes are all attributes of the load balancer with their values, in order of their keys.
func (l *LoadBalancer) Attributes(set map[string]string) []Pair { return valuesOf(l.attributes(), set) }

// AllowsAttribute says whether the load balancer has an attribute, and whether it may have a value.
func (l *LoadBalancer) AllowsAttribute(key, value string) (known, allowed bool) {
	return allows(l.attributes(), key, value)
}

// Attribute is the value of an attribute of the listener: what was set, or its default.
func (l *Listener) Attribute(set map[string]string, key string) string {
	return valueOf(l.attributes(), set, key)
}

// Attributes are all attributes of the listener with their values, in order of their keys.
func (l *Listener) Attributes(set map[string]string) []Pair { return valuesOf(l.attributes(), set) }

// AllowsAttribute says whether the listener has an attribute, and whether it may have a value.
func (l *Listener) AllowsAttribute(key, value string) (known, allowed bool) {
	return allows(l.attributes(), key, value)
}

func find(all []attribute, key string) (attribute, bool) {
	i := slices.IndexFunc(all, func(a attribute) bool { return a.key == key })
	if i < 0 {
		return attribute{}, false
	}
	return all[i], true
}

func valueOf(all []attribute, set map[string]string, key string) string {
	if v, ok := set[key]; ok {
		return v
	}
	a, _ := find(all, key)
	return a.preset
}

func valuesOf(all []attribute, set map[string]string) []Pair {
	out := make([]Pair, 0, len(all))
	for _, a := range all {
		out = append(out, Pair{a.key, valueOf(all, set, a.key)})
	}
	slices.SortFunc(out, func(a, b Pair) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func allows(all []attribute, key, value string) (known, allowed bool) {
	a, ok := find(all, key)
	return ok, ok && a.form.allows(value)
}
