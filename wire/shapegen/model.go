package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// The JSON of a model file. Traits berth has no use for are not read.
type model struct {
	Metadata struct {
		APIVersion     string `json:"apiVersion"`
		EndpointPrefix string `json:"endpointPrefix"`
		JSONVersion    string `json:"jsonVersion"`
		Protocol       string
		Protocols      []string
		ServiceID      string `json:"serviceId"`
		SigningName    string `json:"signingName"`
		TargetPrefix   string `json:"targetPrefix"`
		XMLNamespace   string `json:"xmlNamespace"`
	}
	Operations map[string]operation
	Pagination map[string]pagination
	Shapes     map[string]modelShape
}

type operation struct {
	Name     string
	HTTP     struct{ Method, RequestURI string }
	Input    *ref
	Output   *ref
	Errors   []ref
	Auth     []string
	ReadOnly bool
	Idem     bool `json:"idempotent"`
}

type ref struct {
	Shape            string
	LocationName     string
	QueryName        string
	Location         string
	ResultWrapper    string
	IdempotencyToken bool
}

type pagination struct {
	InputToken  names  `json:"input_token"`
	OutputToken names  `json:"output_token"`
	LimitKey    string `json:"limit_key"`
	ResultKey   names  `json:"result_key"`
}

type modelShape struct {
	Type      string
	Members   map[string]ref
	Required  []string
	Member    *ref
	Key       *ref
	Value     *ref
	Min, Max  *float64
	Pattern   string
	Enum      []string
	Payload   string
	Sensitive bool
	Document  bool
	Union     bool
	Flattened bool
	Exception bool
	Fault     bool
	Error     *struct {
		Code           string
		HTTPStatusCode int
		SenderFault    bool
	}
}

// names is a list that models write as a plain string when it has one element.
type names []string

// UnmarshalJSON implements json.Unmarshaler.
func (n *names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*n = names{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}

func parse(raw, private []byte) (*model, error) {
	var m model
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if err := m.lay(private); err != nil {
		return nil, err
	}
	for name, s := range m.Shapes {
		if err := m.check(s); err != nil {
			return nil, fmt.Errorf("shape %s: %w", name, err)
		}
	}
	return &m, nil
}

// check refuses a shape that names a shape the model does not have, or lacks what its type needs.
func (m *model) check(s modelShape) error {
	refs := map[string]*ref{}
	for name, r := range s.Members {
		refs[name] = &r
	}
	switch s.Type {
	case "list":
		refs["member"] = s.Member
	case "map":
		refs["key"], refs["value"] = s.Key, s.Value
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		r := refs[name]
		if r == nil {
			return fmt.Errorf("%s has no %s", s.Type, name)
		}
		if _, ok := m.Shapes[r.Shape]; !ok {
			return fmt.Errorf("%s: no shape %q", name, r.Shape)
		}
	}
	for _, name := range s.Required {
		if _, ok := s.Members[name]; !ok {
			return fmt.Errorf("required member %q is not a member", name)
		}
	}
	return nil
}

func (m *model) shapeNames() []string { return slices.Sorted(maps.Keys(m.Shapes)) }

// errorCode is an exception's code on the wire.
func (m *model) errorCode(shape string) string {
	if e := m.Shapes[shape].Error; e != nil && e.Code != "" {
		return e.Code
	}
	return shape
}
