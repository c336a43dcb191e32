package sigv4

import (
	"crypto/hmac"
	"crypto/subtle"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Identity is who signed a request.
type Identity struct {
	AccessKey string
	Key       Key
	Scope     Scope
}

// IsRoot says whether it is its account's root, who may do everything.
func (i Identity) IsRoot() bool { return strings.HasSuffix(i.Key.Principal, ":root") }

// Verifier verifies requests. It is safe for concurrent use and must not be copied after the first.
type Verifier struct {
	Keys Keys             // required
	Now  func() time.Time // required
	// Service and Regions are what the credential scope must name; when empty the caller must look at Identity.Scope.
	Service string
	Regions []string
	// AnyRegion lets the scope name, besides Regions, whatever has the form of a region's name.
	AnyRegion bool
	// Token checks session tokens; when nil a token must equal the key's. It lets tokens be checked that no table holds.
	Token func(k Key, token string) error

	derived derived
}

// Verify proves that r was signed with a known key. The body must be the whole body; r.Body is not read.
func (v *Verifier) Verify(r *http.Request, body []byte) (Identity, error) {
	s, err := Parse(r)
	if err != nil {
		return Identity{}, err
	}
	return v.Check(s, r, body)
}

// Check is Verify for a signature that was already parsed from r.
func (v *Verifier) Check(s *Signature, r *http.Request, body []byte) (Identity, error) {
	sum, err := payloadHash(r.Header.Get(headerHash), body)
	if err != nil {
		return Identity{}, err
	}
	m := message{
		method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, host: r.Host,
		header: r.Header, headers: s.SignedHeaders, length: len(body), hash: sum,
	}
	return v.check(s, m)
}

// VerifyUpgrade proves a websocket's upgrade request, which has no body.
func (v *Verifier) VerifyUpgrade(r *http.Request) (Identity, error) { return v.Verify(r, nil) }

func (v *Verifier) check(s *Signature, m message) (Identity, error) {
	now := v.Now().UTC()
	if err := s.checkHeaders(m.header); err != nil {
		return Identity{}, err
	}
	if err := s.checkTime(now); err != nil {
		return Identity{}, err
	}
	if err := v.checkScope(s.Scope); err != nil {
		return Identity{}, err
	}
	key, ok := v.Keys.Lookup(s.AccessKey)
	if !ok {
		return Identity{}, refuse(Unrecognized, messageToken)
	}
	want := mac(v.derived.key(derivation{key.Secret, s.Day, s.Scope}), m.toSign(s.rawDate, s.Day, s.Scope))
	if !hmac.Equal(want, s.mac) {
		return Identity{}, refuse(Mismatch, messageMismatch)
	}
	if err := v.checkToken(key, s.Token, now); err != nil {
		return Identity{}, err
	}
	return Identity{AccessKey: s.AccessKey, Key: key, Scope: s.Scope}, nil
}

var regionName = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`)

// RegionName says whether a text has the form of a region's name. What has is fit to be part of a key.
func RegionName(s string) bool { return regionName.MatchString(s) }

// checkHeaders demands that host and every X-Amz- header are signed: an unsigned X-Amz-Target could be changed on the way.
func (s *Signature) checkHeaders(h http.Header) error {
	if !slices.Contains(s.SignedHeaders, "host") {
		return refuse(Mismatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range h {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(s.SignedHeaders, lower) {
			return refuse(Mismatch, "'%s' must be a 'SignedHeader' in the AWS Authorization.", lower)
		}
	}
	return nil
}

func (v *Verifier) checkScope(s Scope) error {
	if v.Service != "" && s.Service != v.Service {
		return RefuseService(v.Service)
	}
	if v.Regions != nil && !slices.Contains(v.Regions, s.Region) && (!v.AnyRegion || !RegionName(s.Region)) {
		return RefuseRegion(s.Region)
	}
	return nil
}

func (s *Signature) checkTime(now time.Time) error {
	if s.Date.After(now.Add(Skew)) {
		return refuse(Skewed, "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			s.rawDate, now.Add(Skew).Format(dateFormat), now.Format(dateFormat))
	}
	if s.Presigned {
		if end := s.Date.Add(s.Lifetime); now.After(end) {
			return refuse(Skewed, "Signature expired: %s is now earlier than %s", end.Format(dateFormat), now.Format(dateFormat))
		}
		return nil
	}
	if s.Date.Before(now.Add(-Skew)) {
		return refuse(Skewed, "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			s.rawDate, now.Add(-Skew).Format(dateFormat), now.Format(dateFormat))
	}
	return nil
}

func (v *Verifier) checkToken(k Key, token string, now time.Time) error {
	if v.Token != nil {
		if err := v.Token(k, token); err != nil {
			return err
		}
	} else if subtle.ConstantTimeCompare([]byte(k.SessionToken), []byte(token)) != 1 {
		return refuse(Unrecognized, messageToken)
	}
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return refuse(Expired, messageExpired)
	}
	return nil
}

// payloadHash is the body's hash; a hash the client sent must be the same.
func payloadHash(sent string, body []byte) (string, error) {
	switch {
	case sent == "UNSIGNED-PAYLOAD" || sent == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
		return "", refuse(Unsupported, "An unsigned payload (x-amz-content-sha256: %s) is not supported; sign the payload.", sent)
	case strings.HasPrefix(sent, "STREAMING-"):
		return "", refuse(Unsupported, "A streamed signature (x-amz-content-sha256: %s) is not supported; sign the payload as a whole.", sent)
	}
	sum := hash(body)
	if sent != "" && subtle.ConstantTimeCompare([]byte(sent), []byte(sum)) != 1 {
		return "", refuse(Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return sum, nil
}
