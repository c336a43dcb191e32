package clients

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is wrong with a request before any operation sees it.
func TestSpoiledRequests(t *testing.T) {
	t.Parallel()
	large := `{"clusterName":"` + strings.Repeat("x", 2<<20) + `"}`
	deep := strings.Repeat(`{"overrides":`, 5000) + "1" + strings.Repeat("}", 5000)
	for name, test := range map[string]struct {
		request
		status     int
		code, text string
	}{
		"no signature":        {request{operation: "ListClusters", body: "{}", after: func(r *http.Request) { r.Header.Del("Authorization") }}, 400, "MissingAuthenticationTokenException", ""},
		"half a signature":    {request{operation: "ListClusters", body: "{}", after: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }}, 400, "IncompleteSignatureException", ""},
		"wrong secret":        {request{operation: "ListClusters", body: "{}", key: "wrong"}, 400, "InvalidSignatureException", "signature"},
		"unknown key":         {request{operation: "ListClusters", body: "{}", after: header("Authorization", "AKIATESTTESTTESTTEST", "AKIAOTHER")}, 400, "UnrecognizedClientException", ""},
		"changed header":      {request{operation: "ListClusters", body: "{}", after: header("X-Amz-Target", "ListClusters", "DeleteCluster")}, 400, "InvalidSignatureException", ""},
		"another region":      {request{operation: "ListClusters", body: "{}", region: "mars-north-1"}, 400, "InvalidSignatureException", "Credential should be scoped to a valid region"},
		"too old":             {request{operation: "ListClusters", body: "{}", at: time.Now().Add(-time.Hour)}, 400, "InvalidSignatureException", ""},
		"from the future":     {request{operation: "ListClusters", body: "{}", at: time.Now().Add(time.Hour)}, 400, "InvalidSignatureException", ""},
		"unknown operation":   {request{operation: "MakeCoffee", body: "{}"}, 400, "UnknownOperationException", "MakeCoffee"},
		"not there yet":       {request{operation: "ExecuteCommand", body: "{}"}, 400, "UnknownOperationException", "ExecuteCommand"},
		"no target":           {request{operation: "ListClusters", body: "{}", before: func(r *http.Request) { r.Header.Del("X-Amz-Target") }}, 400, "UnknownOperationException", ""},
		"oversized":           {request{operation: "CreateCluster", body: large}, 413, "RequestEntityTooLarge", ""},
		"nested too deep":     {request{operation: "RunTask", body: deep}, 400, "SerializationException", ""},
		"not JSON":            {request{operation: "ListClusters", body: "<xml/>"}, 400, "SerializationException", ""},
		"cut off":             {request{operation: "ListClusters", body: `{"maxResults":`}, 400, "SerializationException", ""},
		"two documents":       {request{operation: "ListClusters", body: `{}{}`}, 400, "SerializationException", ""},
		"a list":              {request{operation: "ListClusters", body: `[]`}, 400, "SerializationException", ""},
		"a string for number": {request{operation: "ListClusters", body: `{"maxResults":"many"}`}, 400, "SerializationException", ""},
		"invalid UTF-8":       {request{operation: "CreateCluster", body: "{\"clusterName\":\"\xff\xfe\"}"}, 400, "SerializationException", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, test.request, test.status, test.code, test.text)
		})
	}
	if a := (request{operation: "ListClusters", body: "{}"}).send(t); a.status != http.StatusOK {
		t.Errorf("the region does not answer any more: %+v", a)
	}
}

func header(name, from, to string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, strings.Replace(r.Header.Get(name), from, to, 1)) }
}

// A body other than the one that was signed.
func TestBodyIsSigned(t *testing.T) {
	t.Parallel()
	refused(t, request{operation: "CreateCluster", body: `{"clusterName":"signed"}`, after: func(r *http.Request) {
		other := `{"clusterName":"stolen"}`
		r.Body, r.ContentLength, r.GetBody = readCloser(other), int64(len(other)), nil
	}}, 400, "InvalidSignatureException", "")
}

// A token used again answers the same, with other parameters a conflict that names what there is.
func TestReplayedTokens(t *testing.T) {
	t.Parallel()
	definition := request{operation: "RegisterTaskDefinition", body: `{"family":"token","containerDefinitions":[{"name":"main","image":"` + busyboxImage + `","memory":16,"command":["sleep","1000"]}]}`}
	if a := definition.send(t); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	run := request{operation: "RunTask", body: `{"taskDefinition":"token","clientToken":"once"}`}
	first, again := run.send(t), run.send(t)
	if first.status != 200 || arnIn(first.body) == "" || arnIn(first.body) != arnIn(again.body) {
		t.Errorf("the same call is answered\n%s\nthen\n%s", first.body, again.body)
	}
	conflict := request{operation: "RunTask", body: `{"taskDefinition":"token","clientToken":"once","count":2}`}.send(t)
	if conflict.code != "ConflictException" || !strings.Contains(conflict.body, `"resourceIds"`) || !strings.Contains(conflict.body, arnIn(first.body)) {
		t.Errorf("another call with the token is answered %s", conflict.body)
	}
	long := strings.Repeat("t", 65)
	refused(t, request{operation: "RunTask", body: `{"taskDefinition":"token","clientToken":"` + long + `"}`}, 400, "InvalidParameterException", "64")
	create := request{operation: "CreateService", body: `{"serviceName":"token","taskDefinition":"token","desiredCount":0,"clientToken":"once"}`}
	if a := create.send(t); a.status != 200 {
		t.Error(a.body)
	}
	if a := create.send(t); a.status != 200 {
		t.Error(a.body)
	}
	refused(t, request{operation: "CreateService", body: `{"serviceName":"token","taskDefinition":"token","desiredCount":1}`}, 400,
		"InvalidParameterException", "Creation of service was not idempotent.")
}
