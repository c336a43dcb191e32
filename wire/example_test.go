package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-ecs/berth/wire"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ecs"
	"github.com/berth-ecs/berth/wire/sigv4"
)

// A service binds its operations, the edge does the rest.
func Example() {
	mux := wire.NewMux()
	wire.Handle(mux, ecs.OpDeleteCluster, func(_ context.Context, c wire.Call, in *ecs.DeleteClusterRequest) (*ecs.DeleteClusterResponse, error) {
		if aws.Val(in.Cluster) != "web" {
			return nil, wire.Errorf(ecs.CodeClusterNotFoundException, "Cluster not found.")
		}
		return &ecs.DeleteClusterResponse{Cluster: &ecs.Cluster{ClusterName: in.Cluster, Status: aws.Ptr("INACTIVE")}}, nil
	})
	edge, err := wire.NewEdge(wire.Config{
		Mux:        mux,
		Keys:       sigv4.Table{"AKIDEXAMPLE": {Secret: "secret", Account: "000000000000", Principal: "arn:aws:iam::000000000000:root"}},
		Authorizer: wire.RootOnly{},
		Regions:    []string{"us-east-1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	signer := sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKey: "AKIDEXAMPLE", Secret: "secret"},
		Scope:       sigv4.Scope{Region: "us-east-1", Service: "ecs"},
	}
	for _, body := range []string{`{"cluster":"web"}`, `{"cluster":"db"}`, `{}`, `{"cluster":7}`} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.DeleteCluster")
		signer.Sign(r, []byte(body), time.Now())
		w := httptest.NewRecorder()
		edge.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"cluster":{"clusterName":"web","status":"INACTIVE"}}
	// 400 {"__type":"ClusterNotFoundException","message":"Cluster not found."}
	// 400 {"__type":"InvalidParameterException","message":"1 validation error detected: Value null at 'cluster' failed to satisfy constraint: Member must not be null"}
	// 400 {"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to a String at 'cluster'"}
}

// BenchmarkEdge is a whole request but for the socket: signature, bounds, parsing, constraints, authorisation, answer.
func BenchmarkEdge(b *testing.B) {
	edge, err := wire.NewEdge(fuzzConfig())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, w := fuzzRequest("ecs", "AmazonEC2ContainerServiceV20141113.DescribeTasks", "application/x-amz-json-1.1", `{"tasks":["a","b"]}`)
		edge.ServeHTTP(w, r)
		if w.Code != http.StatusOK && !strings.Contains(w.Body.String(), "Rate exceeded") {
			b.Fatal(w.Body)
		}
	}
}
