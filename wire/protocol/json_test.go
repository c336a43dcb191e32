package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire/internal/arbitrary"
	"github.com/berth-ecs/berth/wire/internal/toy/toyjson"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/ecs"
)

func jsonRequest(body string) Request {
	return Request{HTTP: httptest.NewRequest(http.MethodPost, "/", nil), Body: []byte(body), ID: "id"}
}

// What is encoded is decoded again, absent and empty apart, for every type there is.
func TestJSONRoundTrip(t *testing.T) {
	op := Op{toyjson.OpEcho.Service, toyjson.OpEcho.Info}
	rapid.Check(t, func(t *rapid.T) {
		var want, got toyjson.EchoInput
		arbitrary.Drawer{T: t, Service: op.Service}.Fill(op.Info.Input, &want, 4)
		answer, err := JSON{}.Encode(op, jsonRequest(""), &want)
		if err != nil {
			t.Fatal(err)
		}
		if err := (JSON{Bounds: DefaultBounds}).Decode(op, jsonRequest(string(answer.Body)), &got); err != nil {
			t.Fatalf("%v\n%s", err, answer.Body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-encoded +decoded):\n%s\n%s", diff, answer.Body)
		}
	})
}

// The same for the largest inputs of ECS, and encoding/json reads them alike, because records are stored with it.
func TestJSONRoundTripECS(t *testing.T) {
	op := Op{ecs.OpRegisterTaskDefinition.Service, ecs.OpRegisterTaskDefinition.Info}
	rapid.Check(t, func(t *rapid.T) {
		var want, got, std ecs.RegisterTaskDefinitionRequest
		arbitrary.Drawer{T: t, Service: op.Service}.Fill(op.Info.Input, &want, 3)
		body, err := json.MarshalIndent(&want, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := (JSON{Bounds: DefaultBounds}).Decode(op, jsonRequest(string(body)), &got); err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		if err := json.Unmarshal(body, &std); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got) + cmp.Diff(want, std); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestJSONDecode(t *testing.T) {
	for _, tt := range []struct{ name, body, want, err string }{
		{"no body", ``, `{}`, ``},
		{"spaces", " \r\n\t{ } ", `{}`, ``},
		{"unknown members", `{"x":{"y":[1,{"z":"\"}]"}]},"Text":"a"}`, `{"Text":"a"}`, ``},
		{"case counts", `{"text":"a"}`, `{}`, ``},
		{"null is absent", `{"Text":null,"Words":null,"Labels":null,"Parts":null,"Open":null}`, `{}`, ``},
		{"empty is empty", `{"Text":"","Words":[],"Labels":{},"Data":""}`, `{"Data":"","Labels":{},"Text":"","Words":[]}`, ``},
		{"the last of two counts", `{"Words":["a","b"],"Words":["c"],"Text":"x","Text":null}`, `{"Words":["c"]}`, ``},
		{"escapes", `{"\u0054ext":"\ud83d\udea2\n"}`, `{"Text":"🚢\n"}`, ``},
		{"whole with fraction", `{"Count":1.0,"Size":1e3}`, `{"Count":1,"Size":1000}`, ``},
		{"null in a map", `{"Labels":{"a":null,"b":"c"}}`, `{"Labels":{"b":"c"}}`, ``},
		{"document", `{"Open": { "a" : [ 1 ] } }`, `{"Open":{"a":[1]}}`, ``},
		{"time", `{"At":1.5}`, `{"At":1.500}`, ``},
		{"number for string", `{"Text":1}`, ``, `NUMBER_VALUE can not be converted to a String at 'Text'`},
		{"string for integer", `{"Count":"1"}`, ``, `STRING_VALUE can not be converted to an Integer at 'Count'`},
		{"fraction", `{"Count":1.5}`, ``, `The number 1.5 can not be converted to an Integer at 'Count'`},
		{"too large", `{"Count":2147483648}`, ``, `The number 2147483648 can not be converted to an Integer at 'Count'`},
		{"far too large", `{"Size":1e300}`, ``, `The number 1e300 can not be converted to a Long at 'Size'`},
		{"infinite", `{"Exact":1e999}`, ``, `The number 1e999 can not be converted to a Double at 'Exact'`},
		{"string for boolean", `{"Flag":"true"}`, ``, `STRING_VALUE can not be converted to a Boolean at 'Flag'`},
		{"string for time", `{"At":"2026-01-01"}`, ``, `STRING_VALUE can not be converted to a Timestamp at 'At'`},
		{"time without end", `{"At":1e18}`, ``, `The number 1e18 can not be converted to a Timestamp at 'At'`},
		{"object for list", `{"Words":{}}`, ``, `START_OBJECT can not be converted to a List at 'Words'`},
		{"list for map", `{"Labels":[]}`, ``, `START_ARRAY can not be converted to a Map at 'Labels'`},
		{"boolean for structure", `{"Parts":[{"Parts":[false]}]}`, ``, `FALSE_VALUE can not be converted to a Structure at 'Parts[0].Parts[0]'`},
		{"deep in a map", `{"Shelf":{"x":{"Size":true}}}`, ``, `TRUE_VALUE can not be converted to a Long at 'Shelf.x.Size'`},
		{"not base64", `{"Data":"?"}`, ``, `A Blob must be base64 at 'Data'`},
		{"not UTF-8", "{\"Text\":\"\xff\"}", ``, `The body is not valid UTF-8`},
		{"not UTF-8 where nobody looks", "{\"x\":\"\xff\"}", ``, `The body is not valid UTF-8`},
		{"two values", `{} {}`, ``, `The body is not valid JSON`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var in toyjson.EchoInput
			err := JSON{Bounds: DefaultBounds}.Decode(Op{toyjson.OpEcho.Service, toyjson.OpEcho.Info}, jsonRequest(tt.body), &in)
			if tt.err != "" {
				var wrong *DecodeError
				if !errors.As(err, &wrong) || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			got, _ := json.Marshal(in)
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	b := Bounds{Depth: 2, Elements: 4}
	for body, ok := range map[string]bool{
		`{"a":[1,2]}`: true, `{"a":[[1]]}`: false, `[1,2,3,4]`: true, `[1,2,3,4,5]`: false, `{"a":"[[[[,,,,\"[["}`: true, `"\\",[[[`: false,
	} {
		if err := b.JSON([]byte(body)); (err == nil) != ok {
			t.Errorf("JSON %s: %v", body, err)
		}
	}
	for body, ok := range map[string]bool{
		"a=1&b=2&c=3&d=4": true, "a=1&b=2&c=3&d=4&e=5": false, "a.member.1.b.member=......": true, "a.member.1.b.member.1.c=": false,
	} {
		if err := b.Form(body); (err == nil) != ok {
			t.Errorf("form %s: %v", body, err)
		}
	}
}

func TestJSONFailureThatCannotBeWritten(t *testing.T) {
	a := JSON{}.Fail(nil, jsonRequest(""), Failure{Code: "C", Message: "m", Members: map[string]any{"x": func() {}}, Status: 400})
	if string(a.Body) != `{"__type":"C","message":"m"}` {
		t.Errorf("body %s", a.Body)
	}
}

// Whatever the body, the decoder answers with a value or a DecodeError, and agrees with encoding/json about what is valid.
func FuzzJSONDecode(f *testing.F) {
	for _, seed := range []string{`{"Text":"a","Words":["b"],"Parts":[{"Name":"c","Parts":[]}],"Open":[1],"At":1.5}`, `{"a":[{"b":"\"}"}],"Labels":{"x":null}}`, `{`, `nul`} {
		f.Add([]byte(seed))
	}
	op := Op{toyjson.OpEcho.Service, toyjson.OpEcho.Info}
	f.Fuzz(func(t *testing.T, body []byte) {
		var in toyjson.EchoInput
		err := JSON{Bounds: DefaultBounds}.Decode(op, jsonRequest(string(body)), &in)
		var wrong *DecodeError
		if err != nil && !errors.As(err, &wrong) {
			t.Fatalf("error %v", err)
		}
		if err == nil && len(bytes.TrimSpace(body)) > 0 && !json.Valid(body) {
			t.Error("invalid JSON was accepted")
		}
		if err == nil {
			if _, err := (JSON{}).Encode(op, jsonRequest(""), &in); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
	})
}

func TestJSONRoute(t *testing.T) {
	r := jsonRequest("")
	for target, want := range map[string]string{"AmazonEC2ContainerServiceV20141113.RunTask": "RunTask", "Other.RunTask": "", "RunTask": "", "": ""} {
		r.HTTP.Header.Set("X-Amz-Target", target)
		got, ok := JSON{}.Route(&ecs.Model, r)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q, %v", target, got, ok)
		}
	}
	if _, ok := (JSON{}).Route(&aws.Service{}, r); ok {
		t.Error("a service without targets was routed to")
	}
}

func BenchmarkJSONDecode(b *testing.B) {
	body := `{"family":"web","containerDefinitions":[` + strings.Repeat(`{"name":"a","image":"b","cpu":1,"portMappings":[{"containerPort":80}],"environment":[{"name":"A","value":"B"}]},`, 9) + `{"name":"z"}]}`
	op := Op{ecs.OpRegisterTaskDefinition.Service, ecs.OpRegisterTaskDefinition.Info}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var in ecs.RegisterTaskDefinitionRequest
		if err := (JSON{Bounds: DefaultBounds}).Decode(op, jsonRequest(body), &in); err != nil {
			b.Fatal(err)
		}
	}
}
