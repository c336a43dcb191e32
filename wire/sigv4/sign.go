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

// unsigned are headers that proxies or the transport may change.
var unsigned = []string{
	"authorization", "user-agent", "x-amzn-trace-id", "expect", "connection", "upgrade", "transfer-encoding", "te", "trailer", "keep-alive",
	"proxy-authorization", "accept-encoding",
}

// Sign signs r in its headers: X-Amz-Date, X-Amz-Security-Token and Authorization are set, every other header that is safe to sign is signed.
// Call it last. The body is the whole body r will send.
func (s Signer) Sign(r *http.Request, body []byte, now time.Time) {
	date, day := now.UTC().Format(dateFormat), now.UTC().Format(dayFormat)
	r.Header.Set(headerDate, date)
	if s.Credentials.SessionToken != "" {
		r.Header.Set(headerToken, s.Credentials.SessionToken)
	}
	m := outgoing(r, body)
	for name := range r.Header {
		// Websocket headers are set by the dialer after signing.
		if n := strings.ToLower(name); !slices.Contains(unsigned, n) && !strings.HasPrefix(n, "sec-") {
			m.headers = append(m.headers, n)
		}
	}
	m.headers = append(m.headers, "host")
	slices.Sort(m.headers)
	r.Header.Set(headerAuthorization, s.authorization(m, date, day))
}

// Presign returns r's URL with a signature in its query that lives for a time, at most seven days. Only the host is signed of the headers.
func (s Signer) Presign(r *http.Request, now time.Time, lifetime time.Duration) *url.URL {
	date, day := now.UTC().Format(dateFormat), now.UTC().Format(dayFormat)
	signed := *r.URL
	q := signed.Query()
	q.Set("X-Amz-Algorithm", Algorithm)
	q.Set("X-Amz-Credential", s.Credentials.AccessKey+"/"+credentialScope(day, s.Scope))
	q.Set(headerDate, date)
	q.Set("X-Amz-Expires", strconv.Itoa(int(lifetime/time.Second)))
	q.Set("X-Amz-SignedHeaders", "host")
	if s.Credentials.SessionToken != "" {
		q.Set(headerToken, s.Credentials.SessionToken)
	}
	m := outgoing(r, nil)
	m.query, m.headers = q.Encode(), []string{"host"}
	q.Set("X-Amz-Signature", hex.EncodeToString(s.mac(m, date, day)))
	signed.RawQuery = q.Encode()
	return &signed
}

// outgoing is the message of a request that is about to be sent; which headers are signed is left open.
func outgoing(r *http.Request, body []byte) message {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return message{
		method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery, host: host,
		header: r.Header, length: len(body), hash: hash(body),
	}
}

func (s Signer) mac(m message, date, day string) []byte {
	return s.Scope.signature(s.Credentials.Secret, day, m.toSign(date, day, s.Scope))
}

func (s Signer) authorization(m message, date, day string) string {
	return Algorithm + " Credential=" + s.Credentials.AccessKey + "/" + credentialScope(day, s.Scope) +
		", SignedHeaders=" + strings.Join(m.headers, ";") + ", Signature=" + hex.EncodeToString(s.mac(m, date, day))
}
