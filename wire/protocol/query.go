package protocol

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"reflect"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Query is AWS's query protocol: the input as a form, in a body or in the URL, the output as XML.
type Query struct{ Bounds Bounds }

var _ Protocol = Query{}

// Name implements Protocol.
func (Query) Name() string { return "query" }

// Route implements Protocol.
func (Query) Route(s *aws.Service, r Request) (string, bool) {
	if r.HTTP.Header.Get(headerTarget) != "" {
		return "", false
	}
	form := rawForm(r)
	action, version := formValue(form, "Action"), formValue(form, "Version")
	return action, action != "" && (version == "" || version == s.APIVersion)
}

// rawForm is the form a request carries, in its URL and in its body.
func rawForm(r Request) string {
	raw := r.HTTP.URL.RawQuery
	if r.HTTP.Method != http.MethodPost || !isForm(r.HTTP) || len(r.Body) == 0 {
		return raw
	}
	if raw == "" {
		return string(r.Body)
	}
	return raw + "&" + string(r.Body)
}

// formValue finds a value without parsing the whole form, because a form is bounded only when its operation is known.
func formValue(form, name string) string {
	for len(form) > 0 {
		var pair string
		pair, form = cut(form, '&')
		k, v := cut(pair, '=')
		if k == name {
			u, err := url.QueryUnescape(v)
			if err != nil {
				return ""
			}
			return u
		}
	}
	return ""
}

func cut(s string, sep byte) (before, after string) {
	for i := range len(s) {
		if s[i] == sep {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// Decode implements Protocol.
func (p Query) Decode(op Op, r Request, in any) error {
	return formDecoder{service: op.Service}.decode(p.Bounds, op, r, in)
}

func (d formDecoder) decode(b Bounds, op Op, r Request, in any) error {
	raw := rawForm(r)
	if err := b.Form(raw); err != nil {
		return err
	}
	form, err := url.ParseQuery(raw)
	if err != nil {
		return &DecodeError{Reason: "The body is not a valid form"}
	}
	if op.Info.Input == aws.None {
		return nil
	}
	return d.structure(op.Service.Shape(op.Info.Input), formTree(form), reflect.ValueOf(in).Elem(), "")
}

// Encode implements Protocol.
func (Query) Encode(op Op, r Request, out any) (Answer, error) {
	w := xmlWriter{service: op.Service, element: "member"}
	w.b.WriteString(xml.Header)
	name := op.Info.Name + "Response"
	w.b.WriteString("<" + name + ` xmlns="` + op.Service.XMLNamespace + `">`)
	if op.Info.Output != aws.None {
		w.wrapped(op.Info.ResultWrapper, func() {
			w.structure(op.Service.Shape(op.Info.Output), reflect.ValueOf(out).Elem())
		})
	}
	w.wrapped("ResponseMetadata", func() { w.text("RequestId", r.ID) })
	w.b.WriteString("</" + name + ">")
	return Answer{Status: 200, ContentType: "text/xml", Body: w.b.Bytes()}, w.err
}

// Fail implements Protocol.
func (Query) Fail(s *aws.Service, r Request, f Failure) Answer {
	w := xmlWriter{service: s, b: bytes.Buffer{}}
	namespace := ""
	if s != nil {
		namespace = ` xmlns="` + s.XMLNamespace + `"`
	}
	w.b.WriteString(xml.Header + "<ErrorResponse" + namespace + ">")
	w.wrapped("Error", func() {
		kind := "Sender"
		if f.Status >= 500 {
			kind = "Receiver"
		}
		w.text("Type", kind)
		w.text("Code", f.Code)
		w.text("Message", f.Message)
	})
	w.text("RequestId", r.ID)
	w.b.WriteString("</ErrorResponse>")
	return Answer{Status: f.Status, ContentType: "text/xml", Header: map[string]string{"X-Amzn-Errortype": f.Code}, Body: w.b.Bytes()}
}
