package seam

import (
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/berth-ecs/berth/proxyconf"
)

func TestExtraIsReadAsItWasWritten(t *testing.T) {
	want := Extra{Part: "p", Cluster: "arn", Endpoints: "e", Space: "eni-1", Protocol: "http1", Check: &proxyconf.Check{Protocol: "HTTP", Path: "/", Interval: time.Second, Codes: "200"}}
	m, err := want.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ExtraOf(m)
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
	if _, err := ExtraOf(&core.Metadata{}); err == nil {
		t.Error("a cluster that says nothing is read")
	}
}

func TestNamesAreCutAsTheyWereMade(t *testing.T) {
	part, name, ok := Cut(Name("elb/1/r/app/web/2/zone/eni-1", "arn:aws:x:targetgroup/a/1"))
	if part != "elb/1/r/app/web/2/zone/eni-1" || name != "arn:aws:x:targetgroup/a/1" || !ok {
		t.Error(part, name, ok)
	}
	if _, _, ok := Cut("arn:aws:acm:us-east-1:1:certificate/x"); ok {
		t.Error("a secret is of a part")
	}
}

func TestTheTimeOfATraceIsPutIn(t *testing.T) {
	added := []*core.HeaderValueOption{{Header: &core.HeaderValue{Key: "x-amzn-trace-id", Value: "Root=1-" + TraceTime + "-%X%"}}, {Header: &core.HeaderValue{Key: "a", Value: "b"}}}
	if !Date(added, time.Unix(0x6a123456, 0)) || added[0].GetHeader().GetValue() != "Root=1-6a123456-%X%" || added[1].GetHeader().GetValue() != "b" {
		t.Error(added)
	}
	if Date(added, time.Unix(1, 0)) {
		t.Error("it was put in already")
	}
}
