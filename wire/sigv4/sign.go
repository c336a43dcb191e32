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
func Sign(r *http.Request, body []byte, c Credentials, s Scope, now time.Time) {
	date, day := now.UTC().Format(dateFormat), now.UTC().Format(dayFormat)
	r.Header.Set(headerDate, date)
	if c.SessionToken != "" {
		r.Header.Set(headerToken, c.SessionToken)
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
	r.Header.Set(headerAuthorization, authorization(m, c, s, date, day))
}

// Presign returns r's URL with a signature in its query that lives for a time, at most seven days. Only the host is signed of the headers.
func Presign(r *http.Request, c Credentials, s Scope, now time.Time, lifetime time.Duration) *url.URL {
	date, day := now.UTC().Format(dateFormat), now.UTC().Format(dayFormat)
	signed := *r.URL
	q := signed.Query()
	q.Set("X-Amz-Algorithm", Algorithm)
	q.Set("X-Amz-Credential", c.AccessKey+"/"+credentialScope(day, s))
	q.Set(headerDate, date)
	q.Set("X-Amz-Expires", strconv.Itoa(int(lifetime/time.Second)))
	q.Set("X-Amz-SignedHeaders", "host")
	if c.SessionToken != "" {
		q.Set(headerToken, c.SessionToken)
	}
	m := outgoing(r, nil)
	m.query, m.headers = q.Encode(), []string{"host"}
	q.Set("X-Amz-Signature", hex.EncodeToString(signature(c.Secret, day, s, m.toSign(date, day, s))))
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

func authorization(m message, c Credentials, s Scope, date, day string) string {
	mac := signature(c.Secret, day, s, m.toSign(date, day, s))
	return Algorithm + " Credential=" + c.AccessKey + "/" + credentialScope(day, s) +
		", SignedHeaders=" + strings.Join(m.headers, ";") + ", Signature=" + hex.EncodeToString(mac)
}
