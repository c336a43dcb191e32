package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Message is anything that travels in a frame. The frame's type is the name of
// the Go type.
type Message interface{ message() }

// frame is a text frame of either socket.
type frame struct {
	Type    string          `json:"type"`
	Message json.RawMessage `json:"message"`
}

// ErrUnknownType is answered for a frame whose type this version does not know.
var ErrUnknownType = errors.New("session: unknown message type")

// Encode renders a message as a text frame. m is a pointer to a message type.
func Encode(m Message) ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("session: encode %s: %w", TypeOf(m), err)
	}
	return json.Marshal(frame{Type: TypeOf(m), Message: body})
}

// TypeOf names a message's type as it stands in its frame.
func TypeOf(m Message) string {
	t := reflect.TypeOf(m)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// Decode reads a text frame into one of the known message types. It answers an
// error that wraps ErrUnknownType for the others.
func Decode(data []byte) (Message, error) {
	var f frame
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("session: frame: %w", err)
	}
	mk, ok := known[f.Type]
	if !ok {
		return nil, fmt.Errorf("%w: %.100q", ErrUnknownType, f.Type)
	}
	m := mk()
	if len(f.Message) > 0 {
		if err := json.Unmarshal(f.Message, m); err != nil {
			return nil, fmt.Errorf("session: %s: %w", f.Type, err)
		}
	}
	return m, nil
}

// SplitSigned separates the signed header block of an agent's telemetry frame
// from the JSON frame behind it. A frame without a header block is answered
// whole.
func SplitSigned(data []byte) (headers, body []byte) {
	if headers, body, ok := bytes.Cut(data, []byte("\r\n\r\n")); ok {
		return headers, body
	}
	return nil, data
}

// known makes an empty message for each type that either side sends.
var known = map[string]func() Message{
	"HeartbeatMessage":             func() Message { return new(HeartbeatMessage) },
	"HeartbeatAckRequest":          func() Message { return new(HeartbeatAckRequest) },
	"PayloadMessage":               func() Message { return new(PayloadMessage) },
	"AckRequest":                   func() Message { return new(AckRequest) },
	"NackRequest":                  func() Message { return new(NackRequest) },
	"TaskManifestMessage":          func() Message { return new(TaskManifestMessage) },
	"TaskStopVerificationMessage":  func() Message { return new(TaskStopVerificationMessage) },
	"TaskStopVerificationAck":      func() Message { return new(TaskStopVerificationAck) },
	"IAMRoleCredentialsMessage":    func() Message { return new(IAMRoleCredentialsMessage) },
	"IAMRoleCredentialsAckRequest": func() Message { return new(IAMRoleCredentialsAckRequest) },
	"CloseMessage":                 func() Message { return new(CloseMessage) },
	"ErrorMessage":                 func() Message { return new(ErrorMessage) },
	"PublishMetricsRequest":        func() Message { return new(PublishMetricsRequest) },
	"PublishHealthRequest":         func() Message { return new(PublishHealthRequest) },
	"PublishInstanceStatusRequest": func() Message { return new(PublishInstanceStatusRequest) },
	"AckPublishMetric":             func() Message { return new(AckPublishMetric) },
	"AckPublishHealth":             func() Message { return new(AckPublishHealth) },
	"AckPublishInstanceStatus":     func() Message { return new(AckPublishInstanceStatus) },
	"NodeConfigurationMessage":     func() Message { return new(NodeConfigurationMessage) },
	"NodeConfigurationAck":         func() Message { return new(NodeConfigurationAck) },
}
