package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

type bodySigner struct{}

func (bodySigner) Sign(r *http.Request, body []byte) {
	r.Header.Set("Authorization", "of "+string(body))
}

func TestCalls(t *testing.T) {
	var status int
	var answer, sent, target string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "of "+string(b) || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%v: %v", err, r.Header)
		}
		sent, target = string(b), r.Header.Get("X-Amz-Target")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	c := &Client{Endpoint: s.URL + "/", Signer: bodySigner{}}

	status, answer = 200, `{"containerInstance":{"containerInstanceArn":"arn:i"}}`
	i, err := c.RegisterContainerInstance(t.Context(), "token", &shape.RegisterContainerInstanceRequest{Cluster: aws.Ptr("c")})
	if err != nil || aws.Val(i.ContainerInstanceArn) != "arn:i" || sent != `{"clientToken":"token","cluster":"c"}` ||
		target != "AmazonEC2ContainerServiceV20141113.RegisterContainerInstance" {
		t.Errorf("%v, %v; sent %s to %s", i, err, sent, target)
	}
	answer = `{"endpoint":"a","telemetryEndpoint":"t"}`
	if e, err := c.DiscoverPollEndpoint(t.Context(), "c", "i"); err != nil || e != (Endpoints{"a", "t"}) || sent != `{"cluster":"c","containerInstance":"i"}` {
		t.Errorf("%v, %v; sent %s", e, err, sent)
	}
	for _, f := range []struct {
		status       int
		answer, code string
	}{
		{400, `{"__type":"com.amazonaws#ClientException","message":"m"}`, "ClientException"},
		{400, `{"__type":"ClientException","Message":"m"}`, "ClientException"},
		{500, `{"code":"ServerException","message":"m"}`, "ServerException"},
		{502, `<html>`, ""},
		{400, `{}`, ""},
		{200, `{`, ""},
		{200, strings.Repeat("x", maxAnswer+1), ""},
	} {
		status, answer = f.status, f.answer
		err := c.SubmitTaskStateChange(t.Context(), &shape.SubmitTaskStateChangeRequest{})
		var e *aws.Error
		if errors.As(err, &e) != (f.code != "") || err == nil || e != nil && (e.Code != f.code || e.Message != "m") {
			t.Errorf("%d %.40s: %v", f.status, f.answer, err)
		}
	}
	s.Close()
	if err := c.SubmitTaskStateChange(t.Context(), &shape.SubmitTaskStateChangeRequest{}); err == nil {
		t.Error("called a server that is not there")
	}
}
