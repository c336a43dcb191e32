package sigv4

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// What AWS's SDK and our signer sign is accepted, whatever is in the URL, a header and the body; the same signature over another body is not.
func FuzzSigned(f *testing.F) {
	f.Add("/", "", "plain", []byte("{}"))
	f.Add("/a b/%2F/ü", "b=2&a=1&a=0&c=%20+x&d", "  two   spaces\t", []byte("Action=X"))
	f.Add("//..//x;y", "X-Amz-Signature=1&==&%zz", "", []byte{0, 255})
	f.Fuzz(func(t *testing.T, path, query, value string, body []byte) {
		u, err := url.Parse("http://127.0.0.1:4566/" + strings.TrimPrefix(path, "/"))
		q, qerr := url.ParseQuery(query)
		if err != nil || qerr != nil || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Skip("no client can send it")
		}
		for _, name := range []string{"X-Amz-Signature", "X-Amz-Algorithm", "SignatureVersion", "AWSAccessKeyId"} {
			q.Del(name)
		}
		u.RawQuery, u.Fragment = q.Encode(), ""
		request := func() *http.Request {
			return &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: http.Header{"X-Amz-Meta-A": {value}}}
		}
		ours, theirs := request(), request()
		signing.Sign(ours, body, now)
		c := aws.Credentials{AccessKeyID: creds.AccessKey, SecretAccessKey: creds.Secret}
		if err := signer.NewSigner().SignHTTP(t.Context(), c, theirs, hash(body), scope.Service, scope.Region, now); err != nil {
			t.Fatal(err)
		}
		for who, r := range map[string]*http.Request{"ours": ours, "the SDK's": theirs} {
			got := received(r)
			if _, err := verifier(Key{}, now).Verify(got, body); err != nil {
				t.Errorf("%s: %v", who, err)
			}
			if _, err := verifier(Key{}, now).Verify(got, append([]byte("x"), body...)); kindOf(err) != Mismatch {
				t.Errorf("%s over another body: %v", who, err)
			}
		}
	})
}

// No frame is accepted that was not signed, and every refusal is one of ours.
func FuzzFrame(f *testing.F) {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:4566", Path: "/ws", RawQuery: "cluster=c"}
	signed, err := signing.Frame(u, []byte(`{"type":"PublishMetricsRequest"}`), now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("Authorization: " + Algorithm + " Credential=a/20150830/b/c/aws4_request, SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20150830T123600Z\r\n\r\n{}"))
	f.Add([]byte("A:\r\n b\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	upgrade := httptest.NewRequest(http.MethodGet, u.String(), nil)
	f.Fuzz(func(t *testing.T, frame []byte) {
		payload, id, err := verifier(Key{}, now).VerifyFrame(upgrade, frame)
		if err != nil {
			if kindOf(err) == 0 {
				t.Errorf("not a refusal: %v", err)
			}
			return
		}
		if !strings.HasSuffix(string(frame), string(payload)) || id.AccessKey != creds.AccessKey || string(payload) != `{"type":"PublishMetricsRequest"}` {
			t.Errorf("a frame that nobody signed was accepted: %q", frame)
		}
	})
}
