package protocol

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"unicode/utf8"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// JSON is AWS's JSON 1.0 and 1.1: the operation in X-Amz-Target, input and output as one object.
type JSON struct{ Bounds Bounds }

var _ Protocol = JSON{}

// Name implements Protocol.
func (JSON) Name() string { return "json" }

// Route implements Protocol.
func (JSON) Route(s *aws.Service, r Request) (string, bool) {
	prefix, operation, ok := cutLast(r.HTTP.Header.Get(headerTarget), ".")
	return operation, ok && s.TargetPrefix != "" && prefix == s.TargetPrefix
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Decode implements Protocol. No body is an empty object.
func (p JSON) Decode(op Op, r Request, in any) error {
	if op.Info.Input == aws.None || len(bytes.TrimSpace(r.Body)) == 0 {
		return nil
	}
	if err := p.Bounds.JSON(r.Body); err != nil {
		return err
	}
	if !utf8.Valid(r.Body) {
		// encoding/json would put U+FFFD in the place of what was meant.
		return &DecodeError{Reason: "The body is not valid UTF-8"}
	}
	if !json.Valid(r.Body) {
		return &DecodeError{Reason: "The body is not valid JSON"}
	}
	d := jsonDecoder{service: op.Service, text: r.Body}
	d.space()
	return d.value(op.Info.Input, reflect.ValueOf(in).Elem(), "")
}

// Encode implements Protocol.
func (JSON) Encode(op Op, r Request, out any) (Answer, error) {
	body := []byte("{}")
	if op.Info.Output != aws.None {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(out); err != nil {
			return Answer{}, err
		}
		body = bytes.TrimRight(b.Bytes(), "\n")
	}
	return Answer{Status: 200, ContentType: jsonType(op.Service, r), Body: body}, nil
}

// Fail implements Protocol.
func (JSON) Fail(s *aws.Service, r Request, f Failure) Answer {
	object := map[string]any{}
	maps.Copy(object, f.Members)
	object["__type"], object["message"] = f.Code, f.Message
	body, err := json.Marshal(object)
	if err != nil { // members that JSON cannot hold: the code and the message still can
		body, _ = json.Marshal(map[string]string{"__type": f.Code, "message": f.Message})
	}
	return Answer{Status: f.Status, ContentType: jsonType(s, r), Header: map[string]string{"X-Amzn-Errortype": f.Code}, Body: body}
}

// jsonType answers in the version the client speaks, or else in the service's.
func jsonType(s *aws.Service, r Request) string {
	const prefix = "application/x-amz-json-"
	if sent := r.HTTP.Header.Get("Content-Type"); sent == prefix+"1.0" || sent == prefix+"1.1" {
		return sent
	}
	if s != nil && s.JSONVersion != "" {
		return prefix + s.JSONVersion
	}
	return prefix + "1.1"
}
