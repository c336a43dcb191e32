package protocol

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/berth-ecs/berth/wire/internal/arbitrary"
	"github.com/berth-ecs/berth/wire/internal/toy/toyquery"
	aws "github.com/berth-ecs/berth/wire/shape"
	"github.com/berth-ecs/berth/wire/shape/sts"
)

var echo = Op{toyquery.OpEcho.Service, toyquery.OpEcho.Info}

func formRequest(body string) Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return Request{HTTP: r, Body: []byte(body), ID: "id-1"}
}

// flatten writes a value as a query client does; empty maps and structures leave no trace in this protocol.
func flatten(form url.Values, s *aws.Service, id aws.ID, name string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	sh := s.Shape(id)
	switch sh.Kind {
	case aws.Structure:
		for i, m := range sh.Members {
			if f := v.Field(i); !f.IsNil() {
				flatten(form, s, m.Shape, strings.TrimPrefix(name+"."+m.Name, "."), f)
			}
		}
	case aws.List:
		if v.Len() == 0 {
			form.Set(name, "")
		}
		for i := range v.Len() {
			flatten(form, s, sh.Elem.Shape, fmt.Sprintf("%s.member.%d", name, i+1), v.Index(i))
		}
	case aws.Map:
		for i, k := range v.MapKeys() {
			entry := fmt.Sprintf("%s.entry.%d.", name, i+1)
			form.Set(entry+"key", k.String())
			flatten(form, s, sh.Elem.Shape, entry+"value", v.MapIndex(k))
		}
	case aws.Blob:
		form.Set(name, base64.StdEncoding.EncodeToString(v.Bytes()))
	case aws.Float:
		form.Set(name, strconv.FormatFloat(v.Float(), 'g', -1, 32))
	case aws.Timestamp:
		form.Set(name, v.Interface().(aws.Time).Format(xmlTime))
	default:
		form.Set(name, fmt.Sprint(v.Interface()))
	}
}

func TestFormRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var drawn, want, got toyquery.EchoInput
		arbitrary.Drawer{T: t, Service: echo.Service}.Fill(echo.Info.Input, &drawn, 2)
		drawn.Shelf, drawn.Parts = nil, nil // structures may be empty, which forms cannot say
		if len(drawn.Labels) == 0 {
			drawn.Labels = nil
		}
		want = drawn
		form := url.Values{}
		flatten(form, echo.Service, echo.Info.Input, "", reflect.ValueOf(&want))
		if err := (Query{Bounds: DefaultBounds}).Decode(echo, formRequest(form.Encode()), &got); err != nil {
			t.Fatalf("%v\n%s", err, form.Encode())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-sent +decoded):\n%s", diff)
		}
	})
}

// Whatever the output, the answer is well-formed XML.
func TestXMLIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out toyquery.EchoOutput
		arbitrary.Drawer{T: t, Service: echo.Service}.Fill(echo.Info.Output, &out, 4)
		out.Text = aws.Ptr(rapid.String().Draw(t, "any text"))
		a, err := Query{}.Encode(echo, formRequest(""), &out)
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(string(a.Body)))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("%v\n%s", err, a.Body)
			}
		}
	})
}

func TestXML(t *testing.T) {
	out := toyquery.EchoOutput{
		At: aws.At(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)), Data: []byte{0, 255}, Exact: aws.Ptr(1e21), Ratio: aws.Ptr[float32](0.1), Flag: aws.Ptr(false),
		Words: []string{}, Parts: []toyquery.Part{{Name: aws.Ptr("<a>")}, {}}, Labels: map[string]string{"b": "2", "a": "1"},
	}
	a, err := Query{}.Encode(echo, formRequest(""), &out)
	if err != nil {
		t.Fatal(err)
	}
	want := xml.Header + `<EchoResponse xmlns="https://toy.example/doc/2020-01-01/"><EchoResult>` +
		`<At>2027-01-01T00:00:00.000Z</At><Data>AP8=</Data><Exact>1000000000000000000000</Exact><Flag>false</Flag>` +
		`<Labels><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></Labels>` +
		`<Parts><member><Name>&lt;a&gt;</Name></member><member></member></Parts><Ratio>0.1</Ratio><Words></Words>` +
		`</EchoResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></EchoResponse>`
	if diff := cmp.Diff(want, string(a.Body)); diff != "" {
		t.Error(diff)
	}
}

func TestFormErrors(t *testing.T) {
	for body, want := range map[string]string{
		"Count=x":                    "can not be converted to an Integer at 'Count'",
		"Flag=yes":                   "can not be converted to a Boolean at 'Flag'",
		"At=tomorrow":                "can not be converted to a Timestamp at 'At'",
		"Data=?":                     "can not be converted to a Blob at 'Data'",
		"Text.a=1":                   "Unexpected list element termination at 'Text'",
		"Words.member.a=1":           "must be numbered at 'Words.a'",
		"Parts.member.1.Size=x":      "a Long at 'Parts[0].Size'",
		"Labels.entry.1.key=a":       "needs a key and a value at 'Labels'",
		"Shelf.entry.1.value.Size=1": "needs a key and a value at 'Shelf'",
		"%zz=1":                      "not a valid form",
	} {
		var in toyquery.EchoInput
		err := Query{Bounds: DefaultBounds}.Decode(echo, formRequest(body), &in)
		var wrong *DecodeError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", body, err, want)
		}
	}
}

// Real inputs of STS, as its clients write them.
func TestFormOfSTS(t *testing.T) {
	var in sts.AssumeRoleRequest
	body := "Action=AssumeRole&Version=2011-06-15&RoleArn=arn&DurationSeconds=900&PolicyArns.member.2.arn=b&PolicyArns.member.10.arn=c&PolicyArns.member.1.arn=a&Tags.member.1.Key=k&Tags.member.1.Value="
	if err := (Query{Bounds: DefaultBounds}).Decode(Op{&sts.Model, sts.OpAssumeRole.Info}, formRequest(body), &in); err != nil {
		t.Fatal(err)
	}
	want := sts.AssumeRoleRequest{
		RoleArn: aws.Ptr("arn"), DurationSeconds: aws.Ptr[int32](900), Tags: []sts.Tag{{Key: aws.Ptr("k"), Value: aws.Ptr("")}},
		PolicyArns: []sts.PolicyDescriptorType{{Arn: aws.Ptr("a")}, {Arn: aws.Ptr("b")}, {Arn: aws.Ptr("c")}},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
}

func FuzzFormDecode(f *testing.F) {
	f.Add("Text=a&Words.member.1=b&Labels.entry.1.key=a&Labels.entry.1.value=b&Parts.member.1.Parts.member.1.Name=x")
	f.Add("Words=&Parts.member.99999999999999999999=&.=&=")
	f.Fuzz(func(t *testing.T, body string) {
		var in toyquery.EchoInput
		err := Query{Bounds: DefaultBounds}.Decode(echo, formRequest(body), &in)
		var wrong *DecodeError
		if err != nil && !errors.As(err, &wrong) {
			t.Fatalf("error %v", err)
		}
		if err == nil {
			if _, err := (Query{}).Encode(echo, formRequest(""), &in); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
	})
}
