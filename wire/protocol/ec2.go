package protocol

import (
	"encoding/xml"
	"reflect"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// EC2 is the query protocol as EC2 speaks it: names of members are capitalised or of their own, lists are numbered without a word
// between, the output has no wrapper and the request's id is one of its elements.
type EC2 struct{ Bounds Bounds }

var _ Protocol = EC2{}

// Name implements Protocol.
func (EC2) Name() string { return "ec2" }

// Route implements Protocol.
func (EC2) Route(s *aws.Service, r Request) (string, bool) { return Query{}.Route(s, r) }

// Decode implements Protocol.
func (p EC2) Decode(op Op, r Request, in any) error {
	return formDecoder{service: op.Service, ec2: true}.decode(p.Bounds, op, r, in)
}

// Encode implements Protocol. An operation whose model has no output answers that it was done.
func (EC2) Encode(op Op, r Request, out any) (Answer, error) {
	w := xmlWriter{service: op.Service, element: "item"}
	w.b.WriteString(xml.Header)
	name := op.Info.Name + "Response"
	w.b.WriteString("<" + name + ` xmlns="` + op.Service.XMLNamespace + `/">`)
	w.text("requestId", r.ID)
	if op.Info.Output == aws.None {
		w.text("return", "true")
	} else {
		w.structure(op.Service.Shape(op.Info.Output), reflect.ValueOf(out).Elem())
	}
	w.b.WriteString("</" + name + ">")
	return Answer{Status: 200, ContentType: "text/xml;charset=UTF-8", Body: w.b.Bytes()}, w.err
}

// Fail implements Protocol.
func (EC2) Fail(s *aws.Service, r Request, f Failure) Answer {
	w := xmlWriter{service: s}
	w.b.WriteString(xml.Header)
	w.wrapped("Response", func() {
		w.wrapped("Errors", func() {
			w.wrapped("Error", func() {
				w.text("Code", f.Code)
				w.text("Message", f.Message)
			})
		})
		w.text("RequestID", r.ID)
	})
	return Answer{Status: f.Status, ContentType: "text/xml;charset=UTF-8", Body: w.b.Bytes()}
}
