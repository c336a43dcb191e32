// Package redact makes inputs loggable.
//
// Guarantee: what stands below a member, list or map whose shape AWS's model calls sensitive is replaced before it is formatted, however deep
// it stands; open documents are replaced too, because nothing is known of them.
//
// The package is pure.
package redact

import (
	"log/slog"
	"reflect"

	aws "github.com/berth-ecs/berth/wire/shape"
)

// Hidden stands where a value was.
const Hidden = "*** Sensitive Data Redacted ***"

// Input is a value to log. It costs nothing unless the record is written.
type Input struct {
	Service *aws.Service
	Shape   aws.ID
	Value   any // pointer to the struct of Shape
}

// LogValue implements slog.LogValuer.
func (i Input) LogValue() slog.Value { return slog.AnyValue(Value(i.Service, i.Shape, i.Value)) }

// Value is v, a pointer to the struct of shape id, as maps, lists and scalars, without what is sensitive and what is absent.
func Value(s *aws.Service, id aws.ID, v any) any {
	if id == aws.None || v == nil {
		return nil
	}
	return value(s, id, reflect.ValueOf(v))
}

func value(s *aws.Service, id aws.ID, v reflect.Value) any {
	sh := s.Shape(id)
	if sh.Sensitive || sh.Kind == aws.Doc {
		return Hidden
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch sh.Kind {
	case aws.Structure:
		return structure(s, sh, v)
	case aws.List:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = value(s, sh.Elem.Shape, v.Index(i))
		}
		return out
	case aws.Map:
		out := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			out[it.Key().String()] = value(s, sh.Elem.Shape, it.Value())
		}
		if s.Shape(sh.Key.Shape).Sensitive {
			return Hidden
		}
		return out
	default:
		return v.Interface()
	}
}

func structure(s *aws.Service, sh *aws.Shape, v reflect.Value) any {
	out := map[string]any{}
	for i, m := range sh.Members {
		if f := v.Field(i); !f.IsNil() {
			out[m.Name] = value(s, m.Shape, f)
		}
	}
	return out
}
