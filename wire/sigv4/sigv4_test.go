package sigv4

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

var (
	now   = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	creds = Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	scope = Scope{Region: "us-east-1", Service: "service"}

	signing = Signer{creds, scope}
)

func verifier(k Key, at time.Time) *Verifier {
	k.Secret, k.Account, k.Principal = creds.Secret, "000000000000", "arn:aws:iam::000000000000:root"
	return &Verifier{Keys: Table{creds.AccessKey: k}, Now: func() time.Time { return at }}
}

// received is r as the other side gets it.
func received(r *http.Request) *http.Request {
	got := httptest.NewRequest(r.Method, r.URL.String(), nil)
	got.Header = r.Header.Clone()
	got.Host = r.Host
	if got.Host == "" {
		got.Host = r.URL.Host
	}
	return got
}

func get(t *testing.T, method, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The signatures of AWS's published test suite.
func TestPublishedSignatures(t *testing.T) {
	for _, tt := range []struct{ name, method, target, signature string }{
		{"get-vanilla", "GET", "https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "https://example.amazonaws.com/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := get(t, tt.method, tt.target)
			signing.Sign(r, nil, now)
			if auth := r.Header.Get("Authorization"); !strings.HasSuffix(auth, "Signature="+tt.signature) {
				t.Errorf("Authorization = %s\nwant signature %s", auth, tt.signature)
			}
		})
	}
}

// requests draws requests with everything that a canonical request must get right.
func requests(t *rapid.T) (*http.Request, []byte) {
	text := rapid.StringMatching(`[ -~äöü€]{0,12}`)
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:4566", Path: "/" + rapid.StringMatching(`[a-z0-9 /:+=ä]{0,12}`).Draw(t, "path")}
	q := url.Values{}
	for range rapid.IntRange(0, 4).Draw(t, "params") {
		q.Add(rapid.StringMatching(`[A-Za-z.\-~ =+]{1,6}`).Draw(t, "param"), text.Draw(t, "value"))
	}
	u.RawQuery = q.Encode()
	r := &http.Request{Method: rapid.SampledFrom([]string{"GET", "POST", "PUT"}).Draw(t, "method"), URL: u, Host: u.Host, Header: http.Header{}}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		r.Header.Add("X-Amz-Meta-"+rapid.StringMatching(`[a-z]{1,3}`).Draw(t, "header"), rapid.StringMatching(`[ -~]{0,10}`).Draw(t, "content"))
	}
	return r, []byte(text.Draw(t, "body"))
}

func TestWhatWeSignWeAccept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, body := requests(t)
		signing.Sign(r, body, now)
		skew := time.Duration(rapid.IntRange(-300, 300).Draw(t, "skew")) * time.Second
		if _, err := verifier(Key{}, now.Add(skew)).Verify(received(r), body); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatTheSDKSignsWeAccept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, body := requests(t)
		c := aws.Credentials{AccessKeyID: creds.AccessKey, SecretAccessKey: creds.Secret, SessionToken: "a/token+="}
		if err := signer.NewSigner().SignHTTP(t.Context(), c, r, hash(body), scope.Service, scope.Region, now); err != nil {
			t.Fatal(err)
		}
		id, err := verifier(Key{SessionToken: "a/token+="}, now).Verify(received(r), body)
		if err != nil {
			t.Fatal(err)
		}
		if id.Scope != scope || id.Key.Account != "000000000000" {
			t.Errorf("identity %+v", id)
		}
	})
}

func TestWhatTheSDKPresignsWeAccept(t *testing.T) {
	for _, token := range []string{"", "a/token+="} {
		r := get(t, "GET", "http://127.0.0.1:4566/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60")
		c := aws.Credentials{AccessKeyID: creds.AccessKey, SecretAccessKey: creds.Secret, SessionToken: token}
		signed, header, err := signer.NewSigner().PresignHTTP(t.Context(), c, r, hash(nil), scope.Service, scope.Region, now)
		if err != nil {
			t.Fatal(err)
		}
		got := httptest.NewRequest(http.MethodGet, signed, nil)
		got.Header = header
		if _, err := verifier(Key{SessionToken: token}, now.Add(59*time.Second)).Verify(got, nil); err != nil {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestPresign(t *testing.T) {
	r := get(t, "GET", "http://127.0.0.1:4566/a%20b?x=1&y=%2F+z")
	got := httptest.NewRequest(http.MethodGet, signing.Presign(r, now, time.Minute).String(), nil)
	for after, want := range map[time.Duration]Kind{0: 0, time.Minute: 0, 61 * time.Second: Skewed, -6 * time.Minute: Skewed} {
		_, err := verifier(Key{}, now.Add(after)).Verify(got, nil)
		if kindOf(err) != want {
			t.Errorf("%v later: %v", after, err)
		}
	}
}

func kindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return 0
}

// Every change to a signed request must be refused, whatever the request.
func TestChangedRequestsAreRefused(t *testing.T) {
	changes := map[string]func(r *http.Request, body *[]byte){
		"method":    func(r *http.Request, _ *[]byte) { r.Method = "DELETE" },
		"path":      func(r *http.Request, _ *[]byte) { r.URL.Path += "x"; r.URL.RawPath = "" },
		"query":     func(r *http.Request, _ *[]byte) { r.URL.RawQuery += "&a=b" },
		"host":      func(r *http.Request, _ *[]byte) { r.Host = "elsewhere" },
		"body":      func(_ *http.Request, body *[]byte) { *body = append(*body, ' ') },
		"added":     func(r *http.Request, _ *[]byte) { r.Header.Set("X-Amz-Target", "Another.Operation") },
		"date":      func(r *http.Request, _ *[]byte) { r.Header.Set("X-Amz-Date", "20150830T123601Z") },
		"signature": func(r *http.Request, _ *[]byte) { r.Header.Set("Authorization", flip(r.Header.Get("Authorization"))) },
		"region": func(r *http.Request, _ *[]byte) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "us-east-1", "eu-west-1", 1))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				r, body := requests(t)
				signing.Sign(r, body, now)
				got := received(r)
				change(got, &body)
				if _, err := verifier(Key{}, now).Verify(got, body); kindOf(err) != Mismatch {
					t.Fatalf("error %v, want a mismatch", err)
				}
			})
		})
	}
}

// flip changes the last digit of a signature.
func flip(auth string) string {
	last := auth[len(auth)-1]
	if last == '0' {
		return auth[:len(auth)-1] + "1"
	}
	return auth[:len(auth)-1] + "0"
}

func TestRefusals(t *testing.T) {
	sign := func(change func(r *http.Request)) *http.Request {
		r := get(t, "POST", "http://127.0.0.1:4566/")
		signing.Sign(r, nil, now)
		change(r)
		return received(r)
	}
	header := func(name, value string) *http.Request {
		return sign(func(r *http.Request) { r.Header.Set(name, value) })
	}
	replace := func(old, new string) *http.Request {
		return sign(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		})
	}
	for _, tt := range []struct {
		name    string
		request *http.Request
		key     Key
		at      time.Time
		kind    Kind
		says    string
	}{
		{"none", httptest.NewRequest(http.MethodPost, "/", nil), Key{}, now, Missing, "missing Authentication Token"},
		{"unknown key", replace("AKIDEXAMPLE", "AKIDUNKNOWN"), Key{}, now, Unrecognized, "security token included in the request is invalid"},
		{"late", header("X-Ok", ""), Key{}, now.Add(301 * time.Second), Skewed, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"},
		{"early", header("X-Ok", ""), Key{}, now.Add(-301 * time.Second), Skewed, "Signature not yet current: 20150830T123600Z is still later than"},
		{"no token", header("X-Ok", ""), Key{SessionToken: "t"}, now, Unrecognized, "token included in the request is invalid"},
		{"expired token", header("X-Ok", ""), Key{Expires: now}, now, Expired, "expired"},
		{"sigv4a", header("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=a/b"), Key{}, now, Unsupported, "4A"},
		{"version 2", httptest.NewRequest(http.MethodGet, "/?AWSAccessKeyId=a&SignatureVersion=2", nil), Key{}, now, Unsupported, "Version"},
		{"basic", header("Authorization", "Basic eDp5"), Key{}, now, Incomplete, "algorithm"},
		{"no parts", header("Authorization", Algorithm+" Credential=a/20150830/b/c/aws4_request"), Key{}, now, Incomplete, "'Signature' parameter. Authorization header requires 'SignedHeaders'"},
		{"not pairs", header("Authorization", Algorithm+" nonsense"), Key{}, now, Incomplete, "key=value"},
		{"short credential", replace("/aws4_request", ""), Key{}, now, Incomplete, "5 slash-delimited"},
		{"terminator", replace("aws4_request", "aws5_request"), Key{}, now, Mismatch, "valid terminator"},
		{"other day", replace("20150830", "20150829"), Key{}, now, Mismatch, "Date in Credential scope"},
		{"no date", sign(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), Key{}, now, Incomplete, "'X-Amz-Date' or a 'Date'"},
		{"bad date", header("X-Amz-Date", "yesterday"), Key{}, now, Incomplete, "ISO-8601"},
		{"host unsigned", replace("SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date"), Key{}, now, Mismatch, "'Host'"},
		{"not hex", replace("Signature=", "Signature=z"), Key{}, now, Mismatch, "does not match"},
		{"unsigned payload", header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), Key{}, now, Unsupported, "unsigned payload"},
		{"streaming", header("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), Key{}, now, Unsupported, "streamed"},
		{"lifetime", httptest.NewRequest(http.MethodGet, "/?X-Amz-Algorithm="+Algorithm+"&X-Amz-Credential=a/20150830/b/c/aws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=00", nil), Key{}, now, Incomplete, "604800"},
		{"half presigned", httptest.NewRequest(http.MethodGet, "/?X-Amz-Algorithm="+Algorithm, nil), Key{}, now, Incomplete, "X-Amz-Credential"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verifier(tt.key, tt.at).Verify(tt.request, nil)
			if kindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("kind %d, error %v; want kind %d, %q", kindOf(err), err, tt.kind, tt.says)
			}
		})
	}
}

// A dialer adds its headers after the upgrade was signed; that must not matter.
func TestUpgrade(t *testing.T) {
	r := get(t, "GET", "http://127.0.0.1:4566/ws?clusterArn=c&sendCredentials=true&dockerVersion=DockerVersion:%2020.10+x")
	r.Header.Set("Sec-Websocket-Protocol", "x")
	temporary := signing
	temporary.Credentials.SessionToken = "t"
	temporary.Sign(r, nil, now)
	got := received(r)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Key": "k", "User-Agent": "u"} {
		got.Header.Set(k, v)
	}
	v := verifier(Key{SessionToken: "t"}, now)
	for _, tt := range []struct {
		service string
		regions []string
		kind    Kind
	}{
		{"", nil, 0}, {scope.Service, []string{"eu-west-1", scope.Region}, 0}, {"ecs", nil, Mismatch}, {scope.Service, []string{"eu-west-1"}, Mismatch},
	} {
		v.Service, v.Regions = tt.service, tt.regions
		if _, err := v.VerifyUpgrade(got); kindOf(err) != tt.kind {
			t.Errorf("%q %v: %v", tt.service, tt.regions, err)
		}
	}
}

func TestFrames(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "127.0.0.1:4566", Path: "/ws", RawQuery: "cluster=c&containerInstance=i"}
	upgrade := httptest.NewRequest(http.MethodGet, u.String(), nil)
	frame, err := signing.Frame(u, []byte(`{"type":"PublishMetricsRequest"}`), now)
	if err != nil {
		t.Fatal(err)
	}
	payload, id, err := verifier(Key{}, now).VerifyFrame(upgrade, frame)
	if err != nil || string(payload) != `{"type":"PublishMetricsRequest"}` || id.AccessKey != creds.AccessKey {
		t.Fatalf("payload %q, identity %+v, error %v", payload, id, err)
	}
	for name, bad := range map[string][]byte{
		"changed":    append(slices.Clip(frame), ' '),
		"no block":   []byte(`{"type":"PublishMetricsRequest"}`),
		"unsigned":   []byte("Host: a\r\n\r\n{}"),
		"not header": []byte("nonsense\r\n\r\n{}"),
	} {
		if _, _, err := verifier(Key{}, now).VerifyFrame(upgrade, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The agent signs frames with the SDK: a GET of the socket's URL whose body is the payload.
func TestFrameOfTheAgent(t *testing.T) {
	payload := `{"type":"PublishMetricsRequest","message":{}}`
	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:4566/ws?cluster=c", strings.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	c := aws.Credentials{AccessKeyID: creds.AccessKey, SecretAccessKey: creds.Secret}
	if err := signer.NewSigner().SignHTTP(t.Context(), c, r, hash([]byte(payload)), scope.Service, scope.Region, now); err != nil {
		t.Fatal(err)
	}
	r.Header.Add("Host", r.Host)
	var b strings.Builder
	if err := r.Header.Write(&b); err != nil {
		t.Fatal(err)
	}
	upgrade := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4566/ws?cluster=c", nil)
	if _, _, err := verifier(Key{}, now).VerifyFrame(upgrade, []byte(b.String()+"\r\n"+payload)); err != nil {
		t.Fatal(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Algorithm+" Credential=a/20150830/b/c/aws4_request, SignedHeaders=host, Signature=00", "X-Amz-Algorithm="+Algorithm)
	f.Fuzz(func(t *testing.T, auth, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", auth)
		r.URL.RawQuery = query
		if _, err := verifier(Key{}, now).Verify(r, nil); err == nil {
			t.Error("a request without the secret was accepted")
		}
	})
}

// Signing keys are remembered, not signatures: another secret, day or scope is another key, and a flood of scopes is bounded.
func TestDerivedKeys(t *testing.T) {
	var d derived
	for i := range 3 * maxDerived {
		of := derivation{creds.Secret, "20150830", Scope{Region: strconv.Itoa(i), Service: "ecs"}}
		for range 2 {
			if !slices.Equal(d.key(of), of.scope.key(of.secret, of.day)) {
				t.Fatalf("another key for %+v", of)
			}
		}
	}
	if len(d.keys) > maxDerived {
		t.Errorf("%d keys are kept", len(d.keys))
	}
	a := d.key(derivation{"a", "20150830", scope})
	if slices.Equal(a, d.key(derivation{"b", "20150830", scope})) || slices.Equal(a, d.key(derivation{"a", "20150831", scope})) {
		t.Error("two secrets or two days have one key")
	}
}
