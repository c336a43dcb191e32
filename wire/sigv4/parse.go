package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Signature is a request's signature as it was sent: nothing of it is proven.
type Signature struct {
	AccessKey     string
	Day           string // of the credential scope
	Scope         Scope
	SignedHeaders []string // lower case, sorted
	Date          time.Time
	Token         string        // session token
	Presigned     bool          // it came in the query
	Lifetime      time.Duration // of a presigned URL
	mac           []byte
	rawDate       string
}

// Parse reads a request's signature.
func Parse(r *http.Request) (*Signature, error) {
	query := r.URL.Query()
	if auth := r.Header.Get(headerAuthorization); auth != "" {
		if query.Has("X-Amz-Signature") {
			return nil, refuse(Incomplete, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified")
		}
		return parseHeader(r, auth)
	}
	if query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature") {
		return parseQuery(query)
	}
	if query.Has("SignatureVersion") || query.Has("AWSAccessKeyId") {
		return nil, refuse(Unsupported, "Signature Version %q is not supported; sign with AWS Signature Version 4.", query.Get("SignatureVersion"))
	}
	return nil, refuse(Missing, messageMissing)
}

func parseHeader(r *http.Request, auth string) (*Signature, error) {
	algorithm, rest, _ := strings.Cut(strings.TrimSpace(auth), " ")
	if err := checkAlgorithm(algorithm); err != nil {
		return nil, err
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		k, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || k == "" {
			return nil, refuse(Incomplete, "%q not a valid key=value pair (missing equal-sign) in Authorization header", part)
		}
		parts[k] = v
	}
	var missing []string
	for _, k := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[k] == "" {
			missing = append(missing, "Authorization header requires '"+k+"' parameter.")
		}
	}
	if missing != nil {
		return nil, refuse(Incomplete, "%s", strings.Join(missing, " "))
	}
	s := &Signature{Token: r.Header.Get(headerToken)}
	if err := s.fill(parts["Credential"], parts["SignedHeaders"], parts["Signature"]); err != nil {
		return nil, err
	}
	return s, s.headerDate(r)
}

func parseQuery(q url.Values) (*Signature, error) {
	if err := checkAlgorithm(q.Get("X-Amz-Algorithm")); err != nil {
		return nil, err
	}
	for _, k := range []string{"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if q.Get(k) == "" {
			return nil, refuse(Incomplete, "AWS query-string parameters must include '%s'. Re-examine the query-string parameters.", k)
		}
		if len(q[k]) > 1 {
			return nil, refuse(Incomplete, "'%s' is given more than once.", k)
		}
	}
	s := &Signature{Presigned: true, Token: q.Get(headerToken)}
	if err := s.fill(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature")); err != nil {
		return nil, err
	}
	if !q.Has("X-Amz-Expires") { // the SDKs presign STS without; AWS lets such a URL live for 15 minutes
		s.Lifetime = 15 * time.Minute
		return s, s.setDate(q.Get(headerDate))
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || seconds < 1 || seconds > 604800 {
		return nil, refuse(Incomplete, "X-Amz-Expires must be a number of seconds between 1 and 604800")
	}
	s.Lifetime = time.Duration(seconds) * time.Second
	return s, s.setDate(q.Get(headerDate))
}

func checkAlgorithm(name string) error {
	switch {
	case name == Algorithm:
		return nil
	case strings.HasPrefix(name, "AWS4-ECDSA"):
		return refuse(Unsupported, "Signature Version 4A (%s) is not supported; sign with %s.", name, Algorithm)
	case name == "AWS" || name == "AWS3" || name == "AWS3-HTTPS":
		return refuse(Unsupported, "Signature Version 2 is not supported; sign with %s.", Algorithm)
	}
	return refuse(Incomplete, "Unsupported AWS 'algorithm': %q; only %s is accepted.", name, Algorithm)
}

// fill reads the three values that headers and queries share.
func (s *Signature) fill(credential, signed, signature string) error {
	// An access key holds no slash; region and service neither.
	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return refuse(Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	if parts[4] != terminator {
		return refuse(Mismatch, "Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, parts[4])
	}
	s.AccessKey, s.Day, s.Scope = parts[0], parts[1], Scope{Region: parts[2], Service: parts[3]}
	s.SignedHeaders = strings.Split(strings.ToLower(signed), ";")
	slices.Sort(s.SignedHeaders)
	raw, err := hex.DecodeString(signature)
	if err != nil {
		return refuse(Mismatch, messageMismatch)
	}
	s.mac = raw
	return nil
}

func (s *Signature) headerDate(r *http.Request) error {
	if d := r.Header.Get(headerDate); d != "" {
		return s.setDate(d)
	}
	d := r.Header.Get("Date")
	if d == "" {
		return refuse(Incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	t, err := http.ParseTime(d)
	if err != nil {
		return s.setDate(d)
	}
	return s.setDate(t.UTC().Format(dateFormat))
}

func (s *Signature) setDate(text string) error {
	t, err := time.Parse(dateFormat, text)
	if err != nil {
		return refuse(Incomplete, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", text)
	}
	s.Date, s.rawDate = t, text
	if day := t.Format(dayFormat); day != s.Day {
		return refuse(Mismatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", s.Day, day, text)
	}
	return nil
}
