package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/berth-ecs/berth/test/installation"
)

const target = "AmazonEC2ContainerServiceV20141113."

// request is one as a client would sign it; change may spoil it before or after that.
type request struct {
	operation string
	body      string
	before    func(*http.Request)
	after     func(*http.Request)
	key       string    // "" is the region's
	region    string    // "" is the region's
	at        time.Time // zero is now
}

// answer is what came back.
type answer struct {
	status        int
	code, message string
	id            string
	body          string
}

func (q request) send(t testing.TB) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, region.Endpoint+"/", strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target+q.operation)
	if q.before != nil {
		q.before(r)
	}
	q.sign(t, r)
	if q.after != nil {
		q.after(r)
	}
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &e)
	return answer{out.StatusCode, e.Type[strings.LastIndexByte(e.Type, '#')+1:], e.Message, out.Header.Get("X-Amzn-Requestid"), string(bytes.TrimSpace(body))}
}

func (q request) sign(t testing.TB, r *http.Request) {
	t.Helper()
	keys := aws.Credentials{AccessKeyID: installation.AccessKey, SecretAccessKey: installation.SecretKey}
	if q.key != "" {
		keys.SecretAccessKey = q.key
	}
	at, scope := q.at, q.region
	if at.IsZero() {
		at = time.Now()
	}
	if scope == "" {
		scope = installation.Region
	}
	sum := sha256.Sum256([]byte(q.body))
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(sum[:]), "ecs", scope, at); err != nil {
		t.Fatal(err)
	}
}

// refused checks that a request is refused with AWS's code and words.
func refused(t testing.TB, q request, status int, code, text string) {
	t.Helper()
	a := q.send(t)
	if a.status != status || a.code != code || !strings.Contains(a.message, text) {
		t.Errorf("%s %.200s\nis answered %d %s %q\nwant %d %s %q", q.operation, q.body, a.status, a.code, a.message, status, code, text)
	}
	if a.id == "" {
		t.Error("the answer has no request id")
	}
}

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

// arnIn is the first task ARN of a body.
func arnIn(body string) string {
	_, rest, _ := strings.Cut(body, `"taskArn":"`)
	arn, _, _ := strings.Cut(rest, `"`)
	return arn
}

// served are the operations of ECS that this program serves.
func served(t testing.TB) []string {
	t.Helper()
	out, err := region.Command(t.Context(), "status", "--coverage").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(out), "\n## ecs: ")
	page, _, _ = strings.Cut(page, "\n## ")
	var names []string
	for line := range strings.Lines(page) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), " | yes |"); ok {
			names = append(names, strings.TrimPrefix(name, "| "))
		}
	}
	return names
}
