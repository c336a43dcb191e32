package protocol

import (
	"encoding/xml"
	"net/url"
	"reflect"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// RestXML is AWS's REST-XML: the operation in method and path, the input in path, query string and headers, the output as XML. Inputs in a
// body are refused: no operation that is served has one.
type RestXML struct{}

var _ Protocol = RestXML{}

// Name implements Protocol.
func (RestXML) Name() string { return "rest-xml" }

// Route implements Protocol.
func (RestXML) Route(s *aws.Service, r Request) (string, bool) {
	parts := pathParts(r.HTTP.URL.EscapedPath())
	for i := range s.Operations {
		o := &s.Operations[i]
		if _, ok := pathValues(o.Path, parts); ok && o.Method == r.HTTP.Method {
			return o.Name, true
		}
	}
	return "", false
}

func pathParts(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// pathValues are the values of a path's labels, by their names; ok is false when the path is another one.
func pathValues(pattern string, parts []string) (values map[string]string, ok bool) {
	want := pathParts(pattern)
	if len(want) != len(parts) {
		return nil, false
	}
	values = map[string]string{}
	for i, w := range want {
		got, err := url.PathUnescape(parts[i])
		if err != nil || got == "" {
			return nil, false
		}
		if name, isLabel := strings.CutPrefix(w, "{"); isLabel {
			values[strings.TrimSuffix(name, "}")] = got
		} else if w != got {
			return nil, false
		}
	}
	return values, true
}

// Decode implements Protocol.
func (RestXML) Decode(op Op, r Request, in any) error {
	if op.Info.Input == aws.None {
		return nil
	}
	labels, _ := pathValues(op.Info.Path, pathParts(r.HTTP.URL.EscapedPath()))
	query, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return &DecodeError{Reason: "The query string is not valid"}
	}
	d := formDecoder{service: op.Service}
	sh, v := op.Service.Shape(op.Info.Input), reflect.ValueOf(in).Elem()
	for i, m := range sh.Members {
		var text string
		var set bool
		switch m.Location {
		case "uri":
			text, set = labels[m.Wire()]
		case "querystring":
			text, set = query.Get(m.Wire()), query.Has(m.Wire())
		case "header":
			text = r.HTTP.Header.Get(m.Wire())
			set = text != ""
		default:
			if len(r.Body) > 0 {
				return &DecodeError{Path: m.Name, Reason: "Inputs in a body are not supported"}
			}
		}
		if !set {
			continue
		}
		if err := d.value(m.Shape, &node{value: text}, v.Field(i), m.Name); err != nil {
			return err
		}
	}
	return nil
}

// Encode implements Protocol.
func (RestXML) Encode(op Op, _ Request, out any) (Answer, error) {
	w := xmlWriter{service: op.Service, element: "member"}
	if op.Info.Output != aws.None {
		sh := op.Service.Shape(op.Info.Output)
		w.b.WriteString(xml.Header + "<" + sh.Name + ` xmlns="` + op.Service.XMLNamespace + `">`)
		w.structure(sh, reflect.ValueOf(out).Elem())
		w.b.WriteString("</" + sh.Name + ">")
	}
	return Answer{Status: 200, ContentType: "text/xml", Body: w.b.Bytes()}, w.err
}

// Fail implements Protocol. Errors look as the query protocol's.
func (RestXML) Fail(s *aws.Service, r Request, f Failure) Answer { return Query{}.Fail(s, r, f) }
