package agent

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/node/agent/plan"
	"github.com/berth-ecs/berth/wire/sigv4"
)

func TestLoginsAreKeptAndRenewed(t *testing.T) {
	calls, life := 0, time.Hour
	token := base64.StdEncoding.EncodeToString([]byte("AWS:secret"))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/ecr/aws4_request") || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetAuthorizationToken") {
			t.Errorf("asked with %v", r.Header)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"authorizationData": []any{map[string]any{
			"authorizationToken": token, "expiresAt": float64(time.Now().Add(life).Unix())}}})
	}))
	defer s.Close()
	a := &Agent{cfg: Config{Endpoint: s.URL, Credentials: func() sigv4.Credentials { return credentials }}}
	l, r := a.logins(), plan.Registry{ID: "000000000000", Region: "eu-west-1"}
	ask := func(fresh bool, want int) {
		t.Helper()
		got, err := l.Login(t.Context(), r, fresh)
		if err != nil || got.Username != "AWS" || got.Password != "secret" || got.Endpoint != s.URL || calls != want {
			t.Errorf("%+v, %v after %d calls, want %d", got, err, calls, want)
		}
	}
	ask(false, 1)
	ask(false, 1)
	life = -time.Hour // what it answers now is over at once
	ask(true, 2)
	ask(false, 3)
	token = base64.StdEncoding.EncodeToString([]byte("no colon"))
	if _, err := l.Login(t.Context(), r, false); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("%v", err)
	}
}
