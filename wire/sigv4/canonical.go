package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// message is what a signature covers, apart from time and scope.
type message struct {
	method  string
	path    string // as on the wire
	query   string // raw
	host    string
	header  http.Header
	headers []string // the signed ones: lower case, sorted
	length  int      // of the body, for a signed content-length that the transport took away
	hash    string   // of the body
}

// canonical is the canonical request.
func (m message) canonical() string {
	var b strings.Builder
	b.WriteString(m.method + "\n" + canonicalPath(m.path) + "\n" + canonicalQuery(m.query) + "\n")
	for _, h := range m.headers {
		b.WriteString(h + ":" + m.value(h) + "\n")
	}
	b.WriteString("\n" + strings.Join(m.headers, ";") + "\n" + m.hash)
	return b.String()
}

// toSign is the string to sign.
func (m message) toSign(date, day string, s Scope) string {
	return strings.Join([]string{Algorithm, date, credentialScope(day, s), hash([]byte(m.canonical()))}, "\n")
}

func credentialScope(day string, s Scope) string {
	return strings.Join([]string{day, s.Region, s.Service, terminator}, "/")
}

func (m message) value(name string) string {
	switch name {
	case "host":
		return m.host
	case "content-length":
		if m.header.Get(name) == "" {
			return strconv.Itoa(m.length)
		}
	}
	values := slices.Clone(m.header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// canonicalPath escapes the escaped path once more, as every service but S3 does.
func canonicalPath(path string) string {
	if path == "" {
		return "/"
	}
	return escape(path, true)
}

// canonicalQuery sorts the escaped parameters; the signature itself is not among them.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var pairs []string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		k, v = unescape(k), unescape(v)
		if k == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, escape(k, false)+"="+escape(v, false))
	}
	slices.SortFunc(pairs, func(a, b string) int {
		// By name, then by value: "=" would sort among the names' own characters.
		ak, av, _ := strings.Cut(a, "=")
		bk, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(ak, bk); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(pairs, "&")
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// escape is AWS's percent encoding: everything but RFC 3986's unreserved characters.
func escape(s string, keepSlash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
